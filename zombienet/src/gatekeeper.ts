// A gatekeeper program: `phala-gatekeeper` with a simulated TEE and a state folder of its own.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ApiPromise } from "@polkadot/api";
import type { KeyringPair } from "@polkadot/keyring/types";
import { succeed } from "./client.ts";
import { type At, view } from "./market.ts";
import type { CheckResult, LogLine } from "./worker.ts";

/// What `phala-gatekeeper status --json` says.
export interface Report {
  block: number;
  age: number;
  attested: boolean;
  epoch: number | null;
  keys: {
    epoch: number;
    ceremony: number;
    holders: number;
    seat: number | null;
    has_share: boolean;
  }[];
  ceremony: null | {
    number: number;
    purpose: string;
    phase: number;
    name: string;
    remaining: number | null;
    deals: number | null;
    receives: number | null;
    owed: string[];
    failed: boolean;
  };
  waiting: number;
}

export class Gatekeeper {
  readonly directory = mkdtempSync(join(tmpdir(), "phala-gatekeeper-"));
  readonly log = join(this.directory, "gatekeeper.log");
  private child?: ChildProcess;

  /// `secret`: of the account that signs, such as "//Alice". `platform`: number of the machine.
  constructor(
    private readonly rpcPort: number,
    secret: string,
    private readonly platform: number,
  ) {
    writeFileSync(join(this.directory, "operator.key"), secret, { mode: 0o600 });
  }

  private get settings(): string[] {
    return [
      ...["--rpc-url", `ws://127.0.0.1:${this.rpcPort}`],
      ...["--state-dir", this.directory],
      ...["--tee", "simulated", "--simulated-platform", String(this.platform)],
      ...["--poll-seconds", "2", "--log-format", "json"],
      // A chain whose blocks come faster than every six seconds has a clock of its own.
      ...["--max-head-age", "100000000"],
    ];
  }

  /// Flags such as "--witness-url", or "--deal-bad-shares" of a build with the feature
  /// `fault-injection`.
  start(...flags: string[]): void {
    const out = openSync(this.log, "a");
    this.child = spawn("phala-gatekeeper", [...this.settings, ...flags], {
      stdio: ["ignore", out, out],
    });
  }

  isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /// As a power failure would.
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /// As a service manager would. Returns the exit code.
  async stop(): Promise<number | null> {
    await this.end("SIGTERM");
    return this.child?.exitCode ?? null;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  logText(): string {
    return readFileSync(this.log, "utf8");
  }

  /// What it logged, line by line.
  lines(): LogLine[] {
    return this.logText()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /// Its identity key, once it has connected.
  key(): string | undefined {
    const started = this.lines().find(({ message }) => message === "gatekeeper");
    return started && `0x${started.gatekeeper}`;
  }

  /// What `phala-gatekeeper NAME` prints, and its exit code.
  async command(...command: string[]): Promise<{ code: number; output: string }> {
    const run = promisify(execFile)("phala-gatekeeper", [...this.settings, ...command]);
    return run.then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  }

  async status(): Promise<Report> {
    const { code, output } = await this.command("status", "--json");
    if (code !== 0) throw new Error(output);
    return JSON.parse(output) as Report;
  }

  async doctor(): Promise<{ code: number; checks: CheckResult[] }> {
    const { code, output } = await this.command("doctor", "--json");
    const lines = output.split("\n").filter((line) => line.startsWith("{"));
    return { code, checks: lines.map((line) => JSON.parse(line) as CheckResult) };
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface Seat {
  account: string;
  worker: string;
}

/// A master key in use.
export interface LiveKey {
  epoch: bigint;
  /// Of the ceremony that made its shares.
  number: bigint;
  publicKey: string;
}

export const keys = {
  /// Those who hold the current key, in the order of seats; nobody before the first.
  office: (at: At) => view<Seat[]>(at, "GatekeeperKeys", "office"),
  /// The current key.
  live: async (at: At): Promise<LiveKey | undefined> => {
    const [current] = await view<[bigint, { number: bigint }][]>(at, "GatekeeperKeys", "live_keys");
    if (!current) return undefined;
    const [epoch, { number }] = current;
    const found = await view<{ publicKey: string } | null>(at, "GatekeeperKeys", "epoch_key", epoch);
    return found ? { epoch, number, publicKey: found.publicKey } : undefined;
  },
};

/// Lets a stash, which is the operator of `gatekeeper`, stand for election with a bond in planck.
export async function stand(
  api: ApiPromise,
  stash: KeyringPair,
  gatekeeper: string,
  bonded: bigint,
): Promise<void> {
  const { bond, validate } = api.tx.staking;
  const { bind } = api.tx.gatekeeperElection;
  const calls = [
    bond(bonded, "Staked"),
    validate({ commission: 0, blocked: false }),
    bind(gatekeeper),
  ];
  await succeed(api, api.tx.utility.batchAll(calls), stash);
}
