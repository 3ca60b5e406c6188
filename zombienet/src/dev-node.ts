// A node alone: `phala-node --dev`, on a fresh chain in a temporary folder.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rpc, sleep } from "./client.ts";

export class DevNode {
  private constructor(
    readonly port: number,
    readonly directory: string,
    readonly log: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(port: number, ...flags: string[]): Promise<DevNode> {
    const directory = mkdtempSync(join(tmpdir(), "phala-dev-"));
    const log = join(directory, "node.log");
    const out = openSync(log, "a");
    const child = spawn(
      "phala-node",
      ["--dev", "--base-path", directory, "--rpc-port", String(port), "--port", "0", ...flags],
      { stdio: ["ignore", out, out] },
    );
    const node = new DevNode(port, directory, log, child);
    try {
      await node.ready();
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return node;
  }

  private async ready(): Promise<void> {
    for (let second = 0; second < 240; second++) {
      if (this.child.exitCode !== null)
        throw new Error(`phala-node ended with ${this.child.exitCode}: see ${this.log}`);
      const header = await rpc(this.port, "chain_getHeader", []).catch(() => undefined);
      if (header && Number(header.number) > 0) return;
      await sleep(1_000);
    }
    throw new Error(`phala-node produces no block: see ${this.log}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const ended = new Promise((resolve) => this.child.once("exit", resolve));
      this.child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
