// `scripts/up`: starts the local network, or with --dev a single node, and a worker on it; says where
// everything is, and stops all of it on Ctrl-C.

import { until } from "./client.ts";
import { DevNode } from "./dev-node.ts";
import { LocalNetwork, RPC_PORTS } from "./network.ts";
import { Worker } from "./worker.ts";

const ACCOUNTS = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];
const started = Date.now();

function say(line: string) {
  const seconds = Math.round((Date.now() - started) / 1_000);
  console.log(`[${String(seconds).padStart(4)} s] ${line}`);
}

function table(rows: [string, string][]) {
  const width = Math.max(...rows.map(([left]) => left.length));
  for (const [left, right] of rows) console.log(`  ${left.padEnd(width)}  ${right}`);
}

const explorer = (port: number) => `https://polkadot.js.org/apps/?rpc=ws://127.0.0.1:${port}`;

interface Running {
  stop(): Promise<void>;
}

/// What runs, in the order in which it was started.
const running: Running[] = [];

/// Starts the chain; returns the port of a node.
async function single(): Promise<number> {
  const node = await DevNode.start(9944);
  running.push(node);
  say("The node produces a block every three seconds.");
  table([
    ["Endpoint", `ws://127.0.0.1:${node.port}`],
    ["Explorer", explorer(node.port)],
    ["Log", node.log],
  ]);
  return node.port;
}

async function network(): Promise<number> {
  say("Starting two validators and two collators; a minute or two until the first block.");
  const network = await LocalNetwork.start();
  running.push(network);
  await network.ready(900, say);
  say("The parachain produces blocks, and the relay chain makes them final.");
  table(
    Object.entries(RPC_PORTS).map(([name, port]): [string, string] => [
      name,
      `ws://127.0.0.1:${port}  ${network.log(name)}`,
    ]),
  );
  table([["Explorer", explorer(RPC_PORTS.alice)]]);
  return RPC_PORTS.alice;
}

async function worker(port: number) {
  say("Starting a worker in a simulated TEE; it brings collateral, registers and is measured.");
  const worker = new Worker(port, "//Ferdie");
  running.push({ stop: () => worker.stop().then(() => worker.remove()) });
  worker.start();
  const scored = () =>
    worker.lines().some(({ purpose, outcome }) => purpose === "report the score" && outcome === "done");
  await until("the worker is measured", 600, async () => scored() || !worker.isRunning());
  if (!scored()) throw new Error(`the worker ended: see ${worker.log}`);
  say("The worker is attested: see workerRegistry.workers under Chain state.");
  table([
    ["Worker", worker.key() ?? ""],
    ["Operator", "//Ferdie"],
    ["Log", worker.log],
  ]);
}

let stopping = false;
async function stop(code: number) {
  if (stopping) return;
  stopping = true;
  say("Stopping.");
  for (const one of running.reverse()) await one.stop();
  process.exit(code);
}
process.on("SIGINT", () => void stop(0));
process.on("SIGTERM", () => void stop(0));

try {
  await worker(await (process.argv.includes("--dev") ? single() : network()));
  table([["Accounts", ACCOUNTS.map((name) => `//${name}`).join(" ")]]);
  table([["", "10,000,000 PHA each; //Alice has sudo. Everybody knows these keys."]]);
  console.log("\nCtrl-C stops everything.");
  setInterval(() => undefined, 1 << 30);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop(1);
}
