// Programs that we started end with us, also where we end by an error that nobody handled or in the middle
// of a start.

import type { ChildProcess } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
// A suite has no handlers of its own, and without one its end by a signal is no exit.
if (process.env.NODE_TEST_CONTEXT)
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

export function owned(child: ChildProcess): ChildProcess {
  running.add(child);
  return child.once("exit", () => running.delete(child));
}

export const hasEnded = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode !== null || signalCode !== null;

/// Ends it, with SIGKILL if it takes longer than `seconds`. Resolves when it has ended.
export async function end(child: ChildProcess, signal: NodeJS.Signals, seconds = 90): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const patience = setTimeout(() => child.kill("SIGKILL"), seconds * 1_000);
  await ended;
  clearTimeout(patience);
}

/// Removes a temporary folder. Of what ran under `scripts/test` the log stays, with those of its steps.
export function discard(directory: string, log: string): void {
  const logs = process.env.PHALA_TEST_LOGS;
  try {
    if (logs) copyFileSync(log, join(logs, `${basename(directory)}.log`));
  } catch {
    // It was never started.
  }
  rmSync(directory, { recursive: true, force: true });
}
