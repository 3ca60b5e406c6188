// `scripts/up`: starts the local network, or with --dev a single node, a worker on it that earns for a pool,
// and four gatekeepers that make the master key; says where everything is, and stops all of it on Ctrl-C.

import { PHA, connect, rpc, succeed, until, wellKnown } from "./client.ts";
import { DevNode } from "./dev-node.ts";
import { Gatekeeper, following, keys, stand } from "./gatekeeper.ts";
import {
  Journal,
  PERBILL,
  PERQUINTILL,
  type Settlement,
  createPool,
  mining,
  pools,
  putToWork,
  stateOf,
} from "./market.ts";
import { LocalNetwork, RPC_PORTS, VALIDATORS } from "./network.ts";
import { type Program, Worker } from "./program.ts";
import { bringCollateral } from "./puppet.ts";

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
/// Something failed: what it said is kept.
let failed = false;
const ends = (program: Program): Running => ({
  stop: async () => {
    await program.stop();
    if (!failed) await program.remove();
  },
});

/// Starts the chain; returns the port of a node.
async function single(): Promise<number> {
  // In real time: a worker's speed is measured by blocks.
  const node = await DevNode.start(9944, "--dev-block-time", "6000");
  running.push({ stop: () => node.stop(failed) });
  say("The node produces a block every six seconds.");
  table([
    ["Endpoint", `ws://127.0.0.1:${node.port}`],
    ["Explorer", explorer(node.port)],
    ["Log", node.log],
  ]);
  return node.port;
}

async function network(): Promise<number> {
  say("Starting two validators and two collators; about four minutes until the first block.");
  const network = await LocalNetwork.start("westend-dev");
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

/// Starts a worker of Ferdie's; returns its key once it is attested.
async function worker(port: number): Promise<string> {
  say("Starting a worker in a simulated TEE; it registers and is measured.");
  const worker = new Worker(port, "//Ferdie");
  running.push(ends(worker));
  worker.start();
  const key = await worker.measured(600);
  say("The worker is attested: see workerRegistry.workers under Chain state.");
  table([
    ["Worker", key],
    ["Log", worker.log],
  ]);
  return key;
}

const pha = (planck: bigint) => {
  const [whole, part] = [planck / PHA, (planck % PHA) / 1_000_000n];
  const hundredths = String(part).padStart(6, "0").slice(0, 2);
  return `${whole.toLocaleString("en")}.${hundredths} PHA`;
};
const percent = (part: bigint, whole: bigint) => `${(Number(part) / Number(whole)) * 100} %`;

const OWN = 2_000n * PHA;
const DELEGATED = 8_000n * PHA;

/// A pool with a worker in it; returns when its first reward can be claimed.
async function market(port: number) {
  const api = await connect(port);
  const journal = await Journal.open(api);
  running.push({ stop: () => journal.close().then(() => api.disconnect()) });
  const [ferdie, eve] = ["Ferdie", "Eve"].map(wellKnown);

  // Before the worker starts, which sends transactions of Ferdie's account itself, and would bring the
  // collateral one by one, each when the one before is final.
  const founded = createPool(api, ferdie, OWN, 0.1);
  const [id] = await Promise.all([founded, bringCollateral(api, eve)]);
  say(`Ferdie has founded stake pool ${id}, Eve has brought the collateral. She delegates to the pool.`);
  const { contribute } = api.tx.stakePools;
  const [key] = await Promise.all([worker(port), succeed(api, contribute(id, DELEGATED), eve)]);

  await putToWork(api, ferdie, id, key, OWN + DELEGATED);
  say("The worker has the pool's stake behind it. It is challenged, and computes for a minute.");
  const { data } = await journal.first<{ worker: string; settlement: Settlement }>(
    "mining",
    "Settled",
    ({ worker, settlement }) => worker === key && settlement.pool > 0n,
    { seconds: 600 },
  );
  // It would go on reading every block.
  await journal.close();
  say(`It has answered in time: ${pha(data.settlement.pool)} for the pool.`);
  const position = await until("the round's end", 300, async () => {
    const found = await pools.position(api, eve.address, id);
    return found && found.rewards > 0n ? found : undefined;
  });
  const { pool } = await pools.pool(api, id);
  say("The round is over, and its pay credited. The worker goes on earning.");
  const session = await mining.session(api, key);
  table([
    [`Pool ${id}`, `stake of Ferdie ${pha(pool.own)}, of Eve ${pha(position.worth)}`],
    ["Commission", percent(pool.commission, PERBILL)],
    ["Rewards", `Ferdie ${pha(pool.ownerRewards)}, Eve ${pha(position.rewards)}`],
    ["", "To claim: stakePools.claimOwner and stakePools.claim under Extrinsics"],
  ]);
  if (!session) return;
  const { info, v, part } = session;
  table([
    ["Session", `${session.id}: ${stateOf(session)}`],
    ["V", `${pha(v)} for a stake of ${pha(info.stake)}`],
    ["Health", percent(info.health, PERQUINTILL)],
    ["Share", `${percent(part, PERQUINTILL)} of the budget, before the cap on pay`],
  ]);
}

/// Fewest that a set needs on a development chain.
const GATEKEEPERS = ["Alice", "Bob", "Charlie", "Dave"];
const BOND = 20_000n * PHA;

/// Four gatekeepers with a bond each, which follow the finality of the relay chain, if there is one; returns
/// when they have made the master key.
async function committee(port: number, relayPort?: number) {
  const api = await connect(port);
  running.push({ stop: () => api.disconnect() });
  say("Starting four gatekeepers in simulated TEEs; they register, and stand for election.");
  const flags = relayPort ? await following(relayPort) : [];
  const started = GATEKEEPERS.map((name, at) => {
    // The worker is on machine 0.
    const program = new Gatekeeper(port, `//${name}`, at + 1, ...flags);
    running.push(ends(program));
    program.start();
    return { name, program };
  });
  await Promise.all(
    started.map(async ({ name, program }) => {
      await stand(api, wellKnown(name), await program.registered(api, 600), BOND);
    }),
  );
  table(started.map(({ name, program }): [string, string] => [`Gatekeeper of ${name}`, program.log]));
  say("An election is at the end of an era, within five minutes. Then they make the key together.");
  const live = await until("the master key is made", 1_500, () => keys.live(api));
  say("The key is in use, and nobody has it: each of the four holds a share.");
  table([
    ["Master key", live.publicKey],
    ["Cluster", "phala-worker cluster-key obtains the key of a worker's cluster: docs/worker.md"],
  ]);
}

let stopping = false;
async function stop(code: number) {
  if (stopping) return;
  stopping = true;
  say("Stopping.");
  for (const one of running.reverse()) await one.stop().catch((error) => console.error(error));
  process.exit(code);
}
// Asked twice, it kills what has not ended.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => (stopping ? process.exit(130) : void stop(failed ? 1 : 0)));

/// Says what went wrong, unless the end cut it off.
function complain(error: unknown) {
  if (stopping) return;
  failed = true;
  console.error(error instanceof Error ? error.message : error);
}

/// Does `part`, without which the chain at this port is of use, too.
async function attempt(what: string, port: number, part: Promise<void>) {
  await part.catch(async (error) => {
    complain(error);
    await rpc(port, "system_health", []);
    if (!stopping) say(`${what} did not come about. The chain and what was started run on.`);
  });
}

try {
  const isAlone = process.argv.includes("--dev");
  const port = await (isAlone ? single() : network());
  table([
    ["Accounts", ACCOUNTS.map((name) => `//${name}`).join(" ")],
    ["", "10,000,000 PHA each; //Alice has sudo. Everybody knows these keys."],
  ]);
  await attempt("The pool", port, market(port));
  await attempt("The gatekeepers", port, committee(port, isAlone ? undefined : RPC_PORTS[VALIDATORS[0]]));
  console.log("\nCtrl-C stops everything.");
  setInterval(() => undefined, 1 << 30);
} catch (error) {
  complain(error);
  await stop(1);
}
