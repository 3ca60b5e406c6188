// A node alone: `phala-node --dev`, on a fresh chain in a temporary folder.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { discard, end, hasEnded, owned } from "./children.ts";
import { claimPort, rpc, sleep } from "./client.ts";

/// Figures of the genesis and what they are to be, by their names in the chain specification.
export type Genesis = Record<string, number | string>;

export class DevNode {
  private constructor(
    readonly port: number,
    readonly directory: string,
    readonly log: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(port: number, ...flags: string[]): Promise<DevNode> {
    return DevNode.launch(port, folder(), ["--dev", ...flags]);
  }

  /// On a chain whose genesis differs from the one of `--dev`, with so many milliseconds from block to
  /// block. Each block counts as six seconds, whatever it takes.
  static async startWith(port: number, genesis: Genesis, blockTime: number): Promise<DevNode> {
    const directory = folder();
    const chain = join(directory, "chain.json");
    execFileSync("phala-node", ["export-chain-spec", "--chain", "dev", "--output", chain], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    // As text: the balances in it are too large for the numbers of JSON.parse.
    let spec = readFileSync(chain, "utf8");
    for (const [name, value] of Object.entries(genesis)) {
      const figure = new RegExp(`("${name}":\\s*)("[^"]*"|[^",{}\\s]+)`, "g");
      if (spec.match(figure)?.length !== 1)
        throw new Error(`the chain specification does not have one figure "${name}"`);
      spec = spec.replace(figure, (_, key) => key + JSON.stringify(value));
    }
    writeFileSync(chain, spec);
    const flags = ["--chain", chain, "--dev-block-time", String(blockTime)];
    return DevNode.launch(port, directory, flags);
  }

  private static async launch(port: number, directory: string, flags: string[]): Promise<DevNode> {
    await claimPort(port);
    const log = join(directory, "node.log");
    const out = openSync(log, "a");
    const args = [...flags, "--base-path", directory, "--rpc-port", String(port), "--port", "0"];
    const child = owned(spawn("phala-node", args, { stdio: ["ignore", out, out] }));
    closeSync(out);
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
    for (let second = 0; second < 600; second++) {
      if (hasEnded(this.child))
        throw new Error(
          `phala-node ended with ${this.child.exitCode ?? this.child.signalCode}: see ${this.log}`,
        );
      const header = await rpc(this.port, "chain_getHeader", []).catch(() => undefined);
      if (header && Number(header.number) > 0) return;
      await sleep(1_000);
    }
    throw new Error(`phala-node produces no block: see ${this.log}`);
  }

  /// Ends it, and removes its chain and its log unless they are to be kept.
  async stop(keep = false): Promise<void> {
    await end(this.child, "SIGTERM");
    if (!keep) discard(this.directory, this.log);
  }
}

const folder = () => mkdtempSync(join(tmpdir(), "phala-dev-"));
