// Starts networks/local.toml and stops it, with every process in it.

import "./tolerant-logs.ts";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import type { ApiPromise } from "@polkadot/api";
import orchestrator, { type Network } from "@zombienet/orchestrator";
import utils from "@zombienet/utils";
import { bestNumber, claimPort, connect, finalisedNumber, until } from "./client.ts";

/// Ports of networks/local.toml.
export const RPC_PORTS: Record<string, number> = {
  "validator-1": 9900,
  "validator-2": 9901,
  alice: 9910,
  bob: 9911,
};

/// With those of metrics, by which Zombienet sees that a node runs.
const PORTS = [...Object.values(RPC_PORTS), 9700, 9701, 9710, 9711];

export const VALIDATORS = ["validator-1", "validator-2"];
export const COLLATORS = ["alice", "bob"];

/// Makes the relay chain's specification. Zombienet fills in the chain, calls it once more with the file that
/// it has changed, and leaves the words to a shell.
const RELAY_SPEC = [
  ...[process.execPath, "--import", import.meta.resolve("tsx")],
  ...[fileURLToPath(new URL("relay-spec.ts", import.meta.url)), "--chain", "{{chainName}}"],
]
  .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
  .join(" ");

/// What Zombienet says while `work` runs goes to `file`: most of it are failed attempts that it repeats.
async function logging<T>(file: string, work: () => Promise<T>): Promise<T> {
  const print = console.log;
  console.log = (...words) => appendFileSync(file, `${format(...words)}\n`);
  // Zombienet does not throw when it fails: it ends the process.
  const gaveUp = (code: number) => {
    if (code !== 0) process.stderr.write(`Zombienet gave up: see ${file} and the logs beside it\n`);
  };
  process.once("exit", gaveUp);
  try {
    return await work();
  } catch (error) {
    appendFileSync(file, `${format(error)}\n`);
    throw new Error(`Zombienet gave up: see ${file} and the logs beside it`);
  } finally {
    process.off("exit", gaveUp);
    console.log = print;
  }
}

/// The network that runs, from its first process on.
let live: Network | undefined;
process.on("exit", () => {
  const nodes = (live?.client as { processMap?: Record<string, { pid?: number }> } | undefined)?.processMap;
  for (const { pid } of Object.values(nodes ?? {})) {
    try {
      if (pid) process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
});

export class LocalNetwork {
  private apis: ApiPromise[] = [];
  private constructor(
    readonly directory: string,
    private readonly network: Network,
  ) {}

  /// `relayChain`: a session of `westend-dev` takes an hour, as on Westend, and one of `westend-local` two
  /// minutes. No parachain block can be backed across the end of a session, so each costs a slot.
  static async start(relayChain: "westend-dev" | "westend-local"): Promise<LocalNetwork> {
    const directory = process.env.PHALA_NETWORK_DIR ?? join(tmpdir(), "phala-network");
    // Zombienet does not quote it.
    if (/\s/.test(directory))
      throw new Error(`${directory} has a space in it: let PHALA_NETWORK_DIR name another folder`);
    for (const port of PORTS) await claimPort(port);
    const known = ["phala-local-raw.json", "zombienet.log"].some((name) => existsSync(join(directory, name)));
    if (!known && existsSync(directory) && readdirSync(directory).length > 0)
      throw new Error(`${directory} has something else in it: PHALA_NETWORK_DIR has to name an empty folder`);
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
    const config = utils.readNetworkConfig(file);
    Object.assign(config.relaychain, { chain: relayChain, chain_spec_command: RELAY_SPEC });
    const network = await logging(join(directory, "zombienet.log"), () =>
      orchestrator.start("", config, {
        dir: directory,
        force: true,
        spawnConcurrency: 1,
        setGlobalNetwork: (network) => {
          live = network;
        },
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
    // Always says that it has worked.
    const pid = this.pid(name);
    await this.network.node(name).restart(seconds);
    if (this.pid(name) === pid) throw new Error(`${name} had ended before: see ${this.log(name)}`);
  }

  private pid(name: string): number | undefined {
    const { processMap } = this.network.client as unknown as {
      processMap: Record<string, { pid?: number }>;
    };
    return processMap[name].pid;
  }

  async stop(): Promise<void> {
    await Promise.all(this.apis.map((api) => api.disconnect()));
    await this.network.stop();
    live = undefined;
  }
}
