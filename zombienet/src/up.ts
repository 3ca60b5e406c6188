// `scripts/up`: starts the local network, or with --dev a single node, says where everything is, and
// stops all of it on Ctrl-C.

import { LocalNetwork, RPC_PORTS } from "./network.ts";
import { DevNode } from "./dev-node.ts";

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

async function single(): Promise<Running> {
  const node = await DevNode.start(9944);
  say("The node produces a block every three seconds.");
  table([
    ["Endpoint", `ws://127.0.0.1:${node.port}`],
    ["Explorer", explorer(node.port)],
    ["Log", node.log],
  ]);
  return node;
}

async function network(): Promise<Running> {
  say("Starting two validators and two collators; a minute or two until the first block.");
  const running = await LocalNetwork.start();
  await running.ready(900, say);
  say("The parachain produces blocks, and the relay chain makes them final.");
  table(
    Object.entries(RPC_PORTS).map(([name, port]): [string, string] => [
      name,
      `ws://127.0.0.1:${port}  ${running.log(name)}`,
    ]),
  );
  table([["Explorer", explorer(RPC_PORTS.alice)]]);
  return running;
}

let running: Running | undefined;
let stopping = false;
async function stop(code: number) {
  if (stopping) return;
  stopping = true;
  say("Stopping.");
  await running?.stop();
  process.exit(code);
}
process.on("SIGINT", () => void stop(0));
process.on("SIGTERM", () => void stop(0));

try {
  running = await (process.argv.includes("--dev") ? single() : network());
  table([["Accounts", ACCOUNTS.map((name) => `//${name}`).join(" ")]]);
  table([["", "10,000,000 PHA each; //Alice has sudo. Everybody knows these keys."]]);
  console.log("\nCtrl-C stops everything.");
  setInterval(() => undefined, 1 << 30);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop(1);
}
