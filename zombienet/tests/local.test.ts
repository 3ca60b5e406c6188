// The parachain under a real relay chain: it registers, produces, becomes final, survives the death of
// nodes, and upgrades itself.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { ApiPromise } from "@polkadot/api";
import type { Bytes, Option } from "@polkadot/types";
import { u8aToHex } from "@polkadot/util";
import { blake2AsHex } from "@polkadot/util-crypto";
import {
  PARA_ID,
  PHA,
  asRoot,
  bestNumber,
  eventsOf,
  finalise,
  finalisedNumber,
  rpc,
  sleep,
  slotOf,
  until,
  wellKnown,
} from "../src/client.ts";
import { Gatekeeper, following } from "../src/gatekeeper.ts";
import { createPool, pools, putToWork } from "../src/market.ts";
import { COLLATORS, LocalNetwork, RPC_PORTS, VALIDATORS } from "../src/network.ts";
import { Worker } from "../src/program.ts";

const alice = wellKnown("Alice");
const ferdie = wellKnown("Ferdie");

let network: LocalNetwork;
let relay: ApiPromise;
let collators: ApiPromise[];
/// Goes through the same troubles as the network.
let worker: Worker;
/// So does it, and believes neither node about what is final.
let gatekeeper: Gatekeeper;
const METRICS_PORT = 9720;
/// The worker's operator's.
let pool: number;
const STAKE = 5_000n * PHA;

before(async () => {
  network = await LocalNetwork.start("westend-local");
  await network.ready(900, (line) => console.log(`  ${line}`));
  relay = await network.connect(VALIDATORS[0]);
  collators = await Promise.all(COLLATORS.map((name) => network.connect(name)));
  // First: the worker sends transactions of the same account.
  pool = await createPool(collators[0], ferdie, STAKE, 0.1);
  worker = new Worker(RPC_PORTS[COLLATORS[0]], "//Ferdie");
  worker.start();
  const flags = await following(RPC_PORTS[VALIDATORS[0]]);
  const metrics = ["--metrics-address", `127.0.0.1:${METRICS_PORT}`];
  gatekeeper = new Gatekeeper(RPC_PORTS[COLLATORS[0]], "//Dave", 1, ...flags, ...metrics);
  gatekeeper.start();
});

after(async () => {
  await worker?.remove();
  await gatekeeper?.remove();
  await network?.stop();
});

/// Blocks that become final on `api` within `seconds`.
async function finalisedIn(api: ApiPromise, seconds: number): Promise<number> {
  const start = await finalisedNumber(api);
  await sleep(seconds * 1_000);
  return (await finalisedNumber(api)) - start;
}

test("the relay chain knows the parachain and includes its blocks", async () => {
  const lifecycle = await relay.query.paras.paraLifecycles(PARA_ID);
  assert.equal(lifecycle.toString(), "Parachain");
  const head = (await relay.query.paras.heads(PARA_ID)) as unknown as Option<Bytes>;
  const { number } = relay.createType("Header", head.unwrap().toU8a(true));
  assert.ok(number.toNumber() > 0, "a block after the genesis");
  assert.ok((await finalisedNumber(relay)) > 0);
});

test("blocks become final, and finality follows closely", async (t) => {
  assert.ok((await finalisedIn(collators[0], 60)) >= 5, "at least five of ten slots in a minute");
  // The relay chain's finality is two or three of its blocks behind, and ours two more, in which a block is backed
  // and included. Right after a block it is one more, and one look may fall on a fork.
  const lagOf = async (api: ApiPromise) => (await bestNumber(api)) - (await finalisedNumber(api));
  const lags: number[][] = [];
  for (let look = 0; look < 30; look++) {
    lags.push(await Promise.all([relay, collators[0]].map(lagOf)));
    await sleep(2_000);
  }
  for (const [chain, name, typical] of [[0, "relay chain", 4], [1, "parachain", 5]] as const) {
    const sorted = lags.map((look) => look[chain]).sort((a, b) => a - b);
    t.diagnostic(`${name}: ${sorted}`);
    assert.ok(sorted[15] <= typical, `the ${name}'s finality is typically ${typical} blocks behind: ${sorted}`);
    const mean = sorted.reduce((sum, lag) => sum + lag) / sorted.length;
    assert.ok(mean < 5, `the ${name}'s finality is on average less than five blocks behind: ${sorted}`);
    assert.ok(sorted.at(-1)! < 8, `the ${name}'s finality never falls behind: ${sorted}`);
  }
});

/// The Aura keys that authored the last final blocks.
async function recentAuthors(api: ApiPromise): Promise<Set<string>> {
  const authors = new Set<string>();
  for (let number = await finalisedNumber(api), end = number - 6; number > Math.max(0, end); number--) {
    // Those of the state on which it was built.
    const parent = await api.rpc.chain.getBlockHash(number - 1);
    const answer = await (await api.at(parent)).query.aura.authorities();
    const authorities = answer as unknown as { toHex(): string }[];
    authors.add(authorities[(await slotOf(RPC_PORTS[COLLATORS[0]], number)) % authorities.length].toHex());
  }
  return authors;
}

test("both collators author", async () => {
  await until("blocks of two authors", 120, async () =>
    (await recentAuthors(collators[0])).size === 2);
});

test("a transfer is final on both collators, and its events decode", async () => {
  const dest = wellKnown("Eve").address;
  const { block, events } = await finalise(
    collators[0],
    collators[0].tx.balances.transferKeepAlive(dest, 3n * PHA),
    alice,
  );
  const [transfer] = eventsOf(events, "balances", "Transfer");
  const { from, to, amount } = transfer.data as unknown as Record<string, { toString(): string }>;
  assert.equal(from.toString(), alice.address);
  assert.equal(to.toString(), dest);
  assert.equal(amount.toString(), (3n * PHA).toString());
  const other = await until("the block on the other collator", 60, async () => {
    const header = await collators[1].rpc.chain.getHeader(block).catch(() => undefined);
    return header && header.number.toNumber() <= (await finalisedNumber(collators[1])) && header;
  });
  assert.equal(other.hash.toHex(), block);
});

// As docs/collator.md says; it authors from the session after the next, so the end comes further down.
const charlie = wellKnown("Charlie");
let charliesKey: string;
test("a candidate joins with session keys that its node made", async () => {
  const api = collators[1];
  const { keys, proof } = await rpc(RPC_PORTS[COLLATORS[1]], "author_rotateKeysWithOwner", [
    u8aToHex(charlie.publicKey),
  ]);
  charliesKey = keys;
  await finalise(api, api.tx.session.setKeys(keys, proof), charlie);
  const { events } = await finalise(api, api.tx.collatorSelection.registerAsCandidate(), charlie);
  assert.equal(eventsOf(events, "collatorSelection", "CandidateAdded").length, 1);
});

test("with one collator killed the chain goes on, and the killed one catches up", async () => {
  const killed = network.restart(COLLATORS[1], 75);
  const alone = sleep(5_000).then(() => finalisedIn(collators[0], 60));
  // Both to the end, or it would start in the middle of another test, or after all of them.
  const [restarted, blocks] = await Promise.allSettled([killed, alone]);
  if (restarted.status === "rejected") throw restarted.reason;
  assert.ok(blocks.status === "fulfilled" && blocks.value >= 2, `with one collator: ${JSON.stringify(blocks)}`);
  const back = await network.connect(COLLATORS[1]);
  const target = await finalisedNumber(collators[0]);
  await until("the restarted collator has caught up", 180, async () =>
    (await finalisedNumber(back)) >= target);
  const hash = (await collators[0].rpc.chain.getBlockHash(target)).toHex();
  assert.equal((await back.rpc.chain.getBlockHash(target)).toHex(), hash);
});

/// Became final after the restart of both validators.
let resumed: number;
test("after a restart of both validators the chain resumes", async () => {
  await Promise.all(VALIDATORS.map((name) => network.restart(name, 10)));
  const before = await finalisedNumber(collators[0]);
  resumed = before + 5;
  await until("new finalised blocks", 300, async () => (await finalisedNumber(collators[0])) >= resumed);
});

test("a worker has attested itself meanwhile, and is measured", async () => {
  const api = collators[0];
  const key = await until("the worker has its key", 30, async () => worker.key());
  const record = await until("it is registered and measured", 600, async () => {
    const found = (await api.query.workerRegistry.workers(key)).toJSON() as
      { operator: string; score: { value: number } | null } | null;
    return found?.score ? found : undefined;
  });
  assert.equal(record.operator, api.createType("AccountId", ferdie.publicKey).toJSON());
  assert.ok(record.score!.value > 0);
  const keys = await api.query.workerRegistry.operatorWorkers.keys(ferdie.address);
  assert.deepEqual(keys.map((entry) => entry.args[1].toHex()), [key]);
  await putToWork(api, ferdie, pool, key, STAKE);
});

test("a gatekeeper has followed the relay chain's finality meanwhile, over the validators' restart", async () => {
  const key = await until("the gatekeeper has its key", 30, async () => gatekeeper.key());
  await until("it is registered", 300, async () =>
    !(await collators[0].query.workerRegistry.workers(key)).isEmpty);
  // It has not been restarted itself, and acts at nothing that the validators have not signed.
  const acted = await until("it acts at a block of after the restart", 180, async () => {
    const answer = await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`);
    const [, height] = /^phala_gatekeeper_finalised_height (\d+)$/m.exec(await answer.text()) ?? [];
    return Number(height) >= resumed && Number(height);
  });
  await until("it is final for the node, too", 60, async () =>
    (await finalisedNumber(collators[0])) >= acted);
  const { checks } = await gatekeeper.doctor();
  const check = checks.find(({ check }) => check === "relay");
  assert.equal(check?.verdict, "fine", check?.found);
});

test("the candidate authors, and leaves with its bond", async () => {
  const api = collators[0];
  await until("a block of the candidate", 600, async () =>
    (await recentAuthors(api)).has(charliesKey));
  const { events } = await finalise(api, api.tx.collatorSelection.leaveIntent(), charlie);
  assert.equal(eventsOf(events, "collatorSelection", "CandidateRemoved").length, 1);
  assert.equal(eventsOf(events, "balances", "Unreserved").length, 1);
});

test("the worker has answered challenges by the relay chain's randomness, and its pool has earned", async () => {
  await until("a round's pay", 600, async () =>
    (await pools.pool(collators[0], pool)).pool.ownerRewards > 0n);
});

test("a runtime upgrade is enacted and blocks continue", async () => {
  const api = collators[0];
  const file = process.env.PHALA_UPGRADE_WASM;
  assert.ok(file, "PHALA_UPGRADE_WASM names the runtime to upgrade to");
  const code = readFileSync(file);
  // Of the last final block: the best one may be on a fork that loses.
  const version = async () => {
    const final = await api.rpc.chain.getFinalizedHead();
    return (await api.rpc.state.getRuntimeVersion(final)).specVersion.toNumber();
  };
  const old = await version();

  const authorise = api.tx.system.authorizeUpgrade(blake2AsHex(code));
  await asRoot(api, authorise);
  const { events } = await finalise(api, api.tx.system.applyAuthorizedUpgrade(u8aToHex(code)), alice, 300);
  assert.equal(eventsOf(events, "parachainSystem", "ValidationFunctionStored").length, 1);

  await until("the new version", 600, async () => (await version()) > old);
  assert.equal(await version(), old + 1);
  const enacted = await finalisedNumber(api);
  await until("final blocks of the new runtime", 180, async () =>
    (await finalisedNumber(api)) >= enacted + 5);
  const last = await api.query.system.lastRuntimeUpgrade();
  assert.equal(last.unwrap().specVersion.toNumber(), old + 1);
  await finalise(api, api.tx.system.remarkWithEvent("0x04"), wellKnown("Bob"));
});
