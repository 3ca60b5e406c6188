// One of our programs that hold keys, with a simulated TEE and a state folder of its own.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { discard, end, hasEnded, owned } from "./children.ts";
import { sleep, until } from "./client.ts";

export interface CheckResult {
  check: string;
  verdict: "fine" | "attention" | "failure" | "skipped";
  found: string;
  remedy: string;
}

export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

export class Program {
  readonly directory: string;
  readonly log: string;
  private readonly settings: string[];
  protected child?: ChildProcess;

  /// `kind`: such as "worker" for `phala-worker`. `secret`: of the account that signs, such as
  /// "//Alice". `platform`: number of the machine. `flags`: of every command.
  protected constructor(
    private readonly kind: string,
    rpcPort: number,
    secret: string,
    platform: number,
    ...flags: string[]
  ) {
    this.directory = mkdtempSync(join(tmpdir(), `phala-${kind}-`));
    this.log = join(this.directory, "program.log");
    this.settings = [
      ...["--rpc-url", `ws://127.0.0.1:${rpcPort}`],
      ...["--state-dir", this.directory],
      ...["--tee", "simulated", "--simulated-platform", String(platform)],
      ...["--poll-seconds", "2", "--log-format", "json"],
      ...flags,
    ];
    writeFileSync(join(this.directory, "operator.key"), secret, { mode: 0o600 });
  }

  start(...flags: string[]): void {
    const out = openSync(this.log, "a");
    const args = [...this.settings, ...flags];
    this.child = owned(spawn(`phala-${this.kind}`, args, { stdio: ["ignore", out, out] }));
    closeSync(out);
  }

  isRunning(): boolean {
    return this.child !== undefined && !hasEnded(this.child);
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
    if (this.child) await end(this.child, signal);
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
    const started = this.lines().find(({ message }) => message === this.kind);
    return started && `0x${started[this.kind]}`;
  }

  /// What its command NAME prints, and its exit code.
  async command(...command: string[]): Promise<{ code: number; output: string }> {
    const run = promisify(execFile)(`phala-${this.kind}`, [...this.settings, ...command]);
    return run.then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  }

  async doctor(): Promise<{ code: number; checks: CheckResult[] }> {
    const { code, output } = await this.command("doctor", "--json");
    const lines = output.split("\n").filter((line) => line.startsWith("{"));
    return { code, checks: lines.map((line) => JSON.parse(line) as CheckResult) };
  }

  /// Waits until it `has` done something; returns its key. Fails if it ends before.
  protected async keyOnce(what: string, seconds: number, has: () => boolean | Promise<boolean>) {
    await until(what, seconds, async () => (await has()) || !this.isRunning());
    const key = this.key();
    if (!key || !(await has())) throw new Error(`phala-${this.kind} ended, see ${this.log}: ${this.logText().slice(-4_000)}`);
    return key;
  }

  async remove(): Promise<void> {
    await this.kill();
    discard(this.directory, this.log);
  }
}

export class Worker extends Program {
  constructor(rpcPort: number, secret: string, platform = 0) {
    super("worker", rpcPort, secret, platform, "--threads", "1");
  }

  /// Its key, once its score is on chain.
  async measured(seconds: number): Promise<string> {
    return this.keyOnce("the worker is measured", seconds, () =>
      this.lines().some(({ purpose, outcome }) => purpose === "report the score" && outcome === "done"));
  }

  /// Lets it work until nothing is left to do. Fails if it fails.
  async runOnce(seconds: number, ...flags: string[]): Promise<void> {
    this.start("--once", ...flags);
    for (let second = 0; second < seconds; second++) {
      if (this.child?.exitCode === 0) return;
      if (!this.isRunning()) break;
      await sleep(1_000);
    }
    await this.kill();
    throw new Error(`the worker has not finished: ${this.logText().slice(-4_000)}`);
  }
}
