// Starts networks/local.toml and stops it, with every process in it.

import "./tolerant-logs.ts";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import type { ApiPromise } from "@polkadot/api";
import orchestrator, { type Network } from "@zombienet/orchestrator";
import utils from "@zombienet/utils";
import { bestNumber, connect, finalisedNumber, until } from "./client.ts";

export const PARA_ID = 2035;

/// Ports of networks/local.toml.
export const RPC_PORTS: Record<string, number> = {
  "validator-1": 9900,
  "validator-2": 9901,
  alice: 9910,
  bob: 9911,
};

export const VALIDATORS = ["validator-1", "validator-2"];
export const COLLATORS = ["alice", "bob"];

/// What Zombienet says while `work` runs goes to `file`: most of it are failed attempts that it repeats.
async function logging<T>(file: string, work: () => Promise<T>): Promise<T> {
  const print = console.log;
  console.log = (...words) => appendFileSync(file, `${format(...words)}\n`);
  try {
    return await work();
  } finally {
    console.log = print;
  }
}

export class LocalNetwork {
  private apis: ApiPromise[] = [];
  private constructor(
    readonly directory: string,
    private readonly network: Network,
  ) {}

  static async start(
    directory = process.env.PHALA_NETWORK_DIR ?? join(tmpdir(), "phala-network"),
  ): Promise<LocalNetwork> {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    const spec = join(directory, "phala-local-raw.json");
    execFileSync(
      "phala-node",
      ["export-chain-spec", "--chain", "local", "--raw", "--output", spec],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    process.env.PHALA_LOCAL_SPEC = spec;
    const file = fileURLToPath(new URL("../networks/local.toml", import.meta.url));
    const network = await logging(join(directory, "zombienet.log"), () =>
      orchestrator.start("", utils.readNetworkConfig(file), {
        dir: directory,
        force: true,
        spawnConcurrency: 1,
      }),
    );
    return new LocalNetwork(directory, network);
  }

  log(name: string): string {
    return join(this.directory, `${name}.log`);
  }

  async connect(name: string): Promise<ApiPromise> {
    const api = await connect(RPC_PORTS[name]);
    this.apis.push(api);
    return api;
  }

  /// Resolves once the parachain has produced a block that the relay chain finalised.
  async ready(seconds: number, progress: (line: string) => void): Promise<void> {
    const relay = await this.connect(VALIDATORS[0]);
    const para = await this.connect(COLLATORS[0]);
    let said = "";
    await until("the parachain's first finalised block", seconds, async () => {
      const [relayBest, paraBest, paraFinal] = await Promise.all([
        bestNumber(relay),
        bestNumber(para),
        finalisedNumber(para),
      ]);
      const line = `relay chain at block ${relayBest}, parachain at ${paraBest} (final: ${paraFinal})`;
      if (line !== said) progress(line);
      said = line;
      return paraFinal > 0;
    });
  }

  /// Kills a node, leaves it dead for `seconds`, and starts it again on its data.
  async restart(name: string, seconds: number): Promise<void> {
    if (!(await this.network.node(name).restart(seconds)))
      throw new Error(`${name} did not restart: see ${this.log(name)}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.apis.map((api) => api.disconnect()));
    await this.network.stop();
  }
}
