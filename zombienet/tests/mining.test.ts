// Worker programs that mine, against a single node in real time: a block takes the six seconds that it
// counts for, as speed is measured by blocks. The genesis differs from the development chain's in one
// figure, a shorter probation. What takes no real worker is in tests/market.test.ts.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { after, before, test } from "node:test";
import type { ApiPromise } from "@polkadot/api";
import { end, owned } from "../src/children.ts";
import { PHA, connect, succeed, until, wellKnown } from "../src/client.ts";
import { DevNode } from "../src/dev-node.ts";
import {
  type Happening,
  Journal,
  type Session,
  type Settled,
  clockAt,
  close,
  createPool,
  mining,
  stateOf,
} from "../src/market.ts";
import { Worker } from "../src/program.ts";

const PROBATION = 5;
/// What an unresponsive step leaves of V, and the most that a step pays of it.
const LEFT = 1 - 1e-4;
const PAY_CAP = 1e-5;

const [alice, eve, ferdie] = ["Alice", "Eve", "Ferdie"].map(wellKnown);

let node: DevNode;
let api: ApiPromise;
let journal: Journal;

interface Stand {
  worker: Worker;
  stake: bigint;
  key: string;
  pool: number;
}

let small: Stand;
let large: Stand;

/// Other work for one core, until it is ended. Workers are measured beside it: what other suites do while
/// they mine then leaves them more than the half of the benchmark below which an answer is too slow.
const SPIN = "for (const end = Date.now() + 900_000; Date.now() < end; );";
const compute = () => owned(spawn(process.execPath, ["--eval", SPIN], { stdio: "ignore" }));

before(async () => {
  node = await DevNode.startWith(9959, { probation: PROBATION }, 6_000);
  api = await connect(node.port);
  journal = await Journal.open(api);
  // Both pools are Ferdie's, so that one transaction starts both workers.
  const stakes = [4_000n * PHA, 12_000n * PHA];
  const ids: number[] = [];
  for (const stake of stakes) ids.push(await createPool(api, ferdie, stake / 4n, 0.1));
  const workers = ["//Ferdie", "//Eve"].map((secret, machine) => new Worker(node.port, secret, machine));
  [small, large] = workers.map((worker, n) => ({ worker, stake: stakes[n], key: "", pool: ids[n] }));
  for (const worker of workers) worker.start();
  const { contribute, consent, addWorker, start } = api.tx.stakePools;
  const { batchAll } = api.tx.utility;
  const delegations = [small, large].map(({ pool, stake }) => contribute(pool, (stake * 3n) / 4n));
  await succeed(api, batchAll(delegations), alice);
  await until("a worker measures itself", 400, async () =>
    workers.some((worker) => worker.lines().some(({ message }) => message === "measuring performance")),
  );
  const busy = Array.from({ length: availableParallelism() }, compute);
  try {
    for (const stand of [small, large]) stand.key = await stand.worker.measured(400);
  } finally {
    await Promise.all(busy.map((child) => end(child, "SIGKILL")));
  }
  await succeed(api, consent(large.key, large.pool), eve);
  const starts = [small, large].flatMap(({ pool, key, stake }) => [addWorker(pool, key), start(key, stake)]);
  await succeed(api, batchAll(starts), ferdie);
});

after(async () => {
  await Promise.all([small, large].map((stand) => stand?.worker.remove()));
  await journal?.close();
  await api?.disconnect();
  await node?.stop();
});

type OfWorker = { worker: string };
const of = ({ key }: Stand) => ({ worker }: OfWorker) => worker === key;

const settled = (stand: Stand, since: number) =>
  journal.first<Settled>("mining", "Settled", of(stand), { seconds: 240, since });

const at = (hash: string) => ({ api, hash });

async function sessionAt(hash: string, { key }: Stand): Promise<Session> {
  const session = await mining.session(at(hash), key);
  assert.ok(session);
  return session;
}

test("two workers in two pools are paid by their shares, 80 % to the pool and 20 % to the treasury", async () => {
  const paidOf = async (stand: Stand) => {
    type Started = OfWorker & { v: bigint };
    const started = await journal.first<Started>("mining", "Started", of(stand));
    const { hash, data } = await settled(stand, started.block);
    const { bench } = await sessionAt(started.hash, stand);
    // f·(S + 0.3·P) with f = 1.5: docs/tokenomics.md, §2.
    const v = 1.5 * (Number(stand.stake / PHA) + 0.3 * Number(bench));
    close(Number(started.data.v) / Number(PHA), v, 1e-9, "V^e");
    // √(V² + (2·P)²), where P is within what an answer can show: half of the benchmark to 1.2 times.
    const [least, most] = [0.5, 1.2].map((speed) => Math.hypot(v, 2 * speed * Number(bench)));
    const steps = (await clockAt(at(hash))) - (await clockAt(at(started.hash)));
    return { v, least, most, steps, paid: data.settlement };
  };
  const both = await Promise.all([small, large].map(paidOf));
  const { budget } = await mining.economy(api);
  for (const { v, least, most, steps, paid } of both) {
    const others = (which: "least" | "most") =>
      both.filter((one) => one.v !== v).reduce((sum, one) => sum + one[which], 0);
    // Whatever the machine's speed is, the share of the budget is between these.
    const part = Number(paid.gross) / (Number(budget) * steps);
    const [lowest, highest] = [least / (least + others("most")), most / (most + others("least"))];
    assert.ok(part >= lowest && part <= highest, `${part} is not within ${lowest} to ${highest}`);
    // In a network of two the cap on pay binds; it is a part of V.
    const capped = paid.gross - paid.cap;
    close(Number(capped) / Number(PHA), v * PAY_CAP * steps, 1e-6, "the most that is paid");
    const earned = capped - paid.quality;
    assert.ok(earned * 2n >= capped, "an answer shows half of the benchmark at least");
    assert.equal(paid.pool, (earned * 4n) / 5n);
    assert.equal(paid.treasury, earned / 5n);
  }
});

type Missed = OfWorker & { reason: string };
let missed: Happening<Missed>;

test("one that is killed is declared unresponsive within the window, and loses V", async () => {
  const since = journal.height;
  await large.worker.kill();
  missed = await journal.first<Missed>("mining", "Missed", of(large), { seconds: 300, since });
  assert.equal(missed.data.reason, "NoAnswer");
  type Challenged = { workers: [string, bigint][] };
  const asked = journal
    .all<Challenged>("mining", "Challenged", ({ workers }) => workers.some(([key]) => key === large.key))
    .at(-1)!;
  // A challenge can be answered for 20 relay-chain blocks, of which each brings one of ours here.
  assert.equal(missed.block, journal.servedFrom(asked.block + 21));
  await until("some blocks later", 60, async () => journal.height >= missed.block + 3);
  const later = (await api.rpc.chain.getBlockHash(missed.block + 3)).toHex();
  const [old, now] = await Promise.all([missed.hash, later].map((hash) => sessionAt(hash, large)));
  assert.equal(stateOf(now), "Unresponsive");
  const steps = (await clockAt(at(later))) - (await clockAt(at(missed.hash)));
  close(Number(now.v), Number(old.v) * LEFT ** steps, 1e-9, "V after three blocks");
  assert.equal((await mining.economy(api)).outage, false);
  // The other one was paid meanwhile.
  assert.ok((await settled(small, since)).data.settlement.pool > 0n);
});

test("started again, it recovers with its next answer and earns", async () => {
  large.worker.start();
  type Recovered = OfWorker & { v: bigint };
  const { block, hash, data } = await journal.first<Recovered>("mining", "Recovered", of(large), {
    seconds: 400,
  });
  const steps = (await clockAt(at(hash))) - (await clockAt(at(missed.hash)));
  assert.ok(steps > PROBATION);
  const old = await sessionAt(missed.hash, large);
  close(Number(data.v), Number(old.v) * LEFT ** steps, 1e-9, "V");
  assert.equal(large.worker.key(), large.key);
  assert.ok((await settled(large, block)).data.settlement.pool > 0n);
});

test("workers that mine end when asked", async () => {
  for (const { worker } of [small, large]) assert.equal(await worker.stop(), 0);
});
