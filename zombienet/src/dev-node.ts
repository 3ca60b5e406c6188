// A node alone: `phala-node --dev`, on a fresh chain in a temporary folder.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "./client.ts";

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
    const body = JSON.stringify({ id: 1, jsonrpc: "2.0", method: "chain_getHeader", params: [] });
    const headers = { "content-type": "application/json" };
    for (let second = 0; second < 240; second++) {
      if (this.child.exitCode !== null)
        throw new Error(`phala-node ended with ${this.child.exitCode}: see ${this.log}`);
      const url = `http://127.0.0.1:${this.port}`;
      const answer = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
      const { result } = answer ? ((await answer.json()) as { result?: { number: string } }) : {};
      if (result && Number(result.number) > 0) return;
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
