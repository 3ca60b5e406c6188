// Mining, pools and the ledger of offences through polkadot.js, against a single node: who earns what,
// who loses what, and that nothing is minted or burnt on the way.
//
// The workers are puppets, which answer at once and cost no processor time: so a block takes one second
// here, while the chain counts six. tests/mining.test.ts has real ones. Two figures of the genesis differ
// from the development chain's: pay is not capped, so that shares alone decide about it, as in a network
// of thousands. The other periods are those of every development chain.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import type { ApiPromise } from "@polkadot/api";
import type { SubmittableExtrinsic } from "@polkadot/api/types";
import type { KeyringPair } from "@polkadot/keyring/types";
import { hexToU8a, stringToU8a, u8aFixLength, u8aToHex } from "@polkadot/util";
import { blake2AsHex, encodeAddress } from "@polkadot/util-crypto";
import {
  type Finalised,
  PHA,
  asRoot,
  connect,
  eventsOf,
  rpc,
  succeed,
  until,
  wellKnown,
} from "../src/client.ts";
import { DevNode } from "../src/dev-node.ts";
import {
  type Economy,
  type Happening,
  Journal,
  type OffenceId,
  PERBILL,
  PERQUINTILL,
  type Settled,
  type Settlement,
  clockAt,
  close,
  createPool,
  fields,
  mining,
  pools,
  putToWork,
  slashing,
  stateOf,
} from "../src/market.ts";
import { Puppet, bringCollateral } from "../src/puppet.ts";

type Call = SubmittableExtrinsic<"promise">;

const SCORE = 1_000;
/// Relay-chain blocks, as the development runtime has them.
const ROUND = 10;
const PROBATION = 20;
/// What an unresponsive step leaves of V and health.
const LEFT = 1 - 1e-4;

const names = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];
const [alice, bob, charlie, dave, eve, ferdie] = names.map(wellKnown);

let node: DevNode;
let api: ApiPromise;
let journal: Journal;
/// The clock of agendas and deadlines, the relay chain's number at the block before, is the parachain's
/// number and so much more: a node alone makes them together.
let offset: number;

interface Stand {
  owner: KeyringPair;
  operator: KeyringPair;
  own: bigint;
  commission: number;
  delegator: KeyringPair;
  delegated: bigint;
  /// Behind the worker.
  stake: bigint;
  pool: number;
  puppet: Puppet;
}

type Plan = Omit<Stand, "pool" | "puppet">;
const common = { own: 400n * PHA, delegated: 1_600n * PHA, stake: 2_000n * PHA, commission: 0.1 };
const plans: Plan[] = [
  { ...common, owner: bob, operator: bob, own: 500n * PHA, delegator: alice, delegated: 1_500n * PHA },
  // With 500 PHA that no worker has, and an operator who is not the owner.
  {
    ...{ owner: charlie, operator: ferdie, own: 1_000n * PHA, commission: 0.25 },
    ...{ delegator: alice, delegated: 5_500n * PHA, stake: 6_000n * PHA },
  },
  { ...common, owner: eve, operator: eve, delegator: alice },
  { ...common, owner: dave, operator: dave, delegator: bob },
  { ...common, owner: ferdie, operator: ferdie, delegator: charlie },
  { ...common, owner: alice, operator: alice, own: 120n * PHA, delegator: charlie, delegated: 1_880n * PHA },
];
/// Those that only earn, and those that lose.
let small: Stand;
let large: Stand;
let restored: Stand;
let appealed: Stand;
let fined: Stand;
let accused: Stand;

/// Lets each account do its things one after the other, and all accounts at the same time.
async function inTurn<T>(work: [KeyringPair, () => Promise<T>][]): Promise<T[]> {
  const turns = new Map<KeyringPair, Promise<unknown>>();
  const done = work.map(([who, task]) => {
    const next = (turns.get(who) ?? Promise.resolve()).then(task);
    turns.set(who, next);
    return next;
  });
  return Promise.all(done);
}

before(async () => {
  node = await DevNode.startWith(9958, { pay_cap: "1" }, 1_000);
  api = await connect(node.port);
  journal = await Journal.open(api);
  await bringCollateral(api, alice);
  const puppets = await inTurn(
    plans.map(({ operator }, machine) => [
      operator,
      () => Puppet.register(api, node.port, operator, machine, SCORE),
    ]),
  );
  for (const puppet of puppets) puppet.follow(journal);
  const ids = await inTurn(
    plans.map(({ owner, own, commission }) => [
      owner,
      () => createPool(api, owner, own, commission),
    ]),
  );
  const stands = plans.map((plan, n) => ({ ...plan, pool: ids[n], puppet: puppets[n] }));
  const { contribute, consent } = api.tx.stakePools;
  await inTurn([
    ...stands.map(({ delegator, pool, delegated }): [KeyringPair, () => Promise<Finalised>] => [
      delegator,
      () => succeed(api, contribute(pool, delegated), delegator),
    ]),
    [ferdie, () => succeed(api, consent(puppets[1].key, ids[1]), ferdie)],
  ]);
  await inTurn(
    stands.map(({ owner, pool, puppet, stake }) => [
      owner,
      () => putToWork(api, owner, pool, puppet.key, stake),
    ]),
  );
  [small, large, restored, appealed, fined, accused] = stands;
  const last = api.query.parachainSystem.lastRelayChainBlockNumber.key();
  const block = journal.height;
  const stored = await rpc(node.port, "state_getStorage", [last, await hashOf(block - 1)]);
  offset = api.createType("u32", hexToU8a(stored)).toNumber() - block;
});

after(async () => {
  await journal?.close();
  await api?.disconnect();
  await node?.stop();
});

const at = (hash: string) => ({ api, hash });
const hashOf = async (block: number) => (await api.rpc.chain.getBlockHash(block)).toHex();
const economyAt = async (hash: string): Promise<Economy> => mining.economy(at(hash));
const roundOf = (block: number) => Math.floor((block + offset) / ROUND);
const accountOf = async (who: string, hash?: string) => {
  const stored = await rpc(node.port, "state_getStorage", [api.query.system.account.key(who), hash]);
  const { free, reserved } = api.createType("FrameSystemAccountInfo", stored ?? undefined).data;
  return { free: free.toBigInt(), reserved: reserved.toBigInt() };
};
const issuance = async () => (await api.query.balances.totalIssuance()).toBigInt();
const potOf = (id: string) => encodeAddress(u8aFixLength(stringToU8a(`modl${id}`), 256, true), 30);
const TREASURY = potOf("py/trsry");

async function height(block: number) {
  await until(`block ${block}`, 300, async () => journal.height >= block);
}

const settledOf = ({ puppet }: Stand) =>
  journal.all<Settled>("mining", "Settled", ({ worker }) => worker === puppet.key);

const feeOf = ({ events }: Finalised): bigint => {
  const [paid] = eventsOf(events, "transactionPayment", "TransactionFeePaid");
  return fields<{ actualFee: bigint }>(paid).actualFee;
};

/// √(V² + (2·P·conf)²) with V = f·(S + 0.3·P), of docs/tokenomics.md §2, at full confidence; P is the
/// score in V, and 1.2 times the score as a puppet is measured.
const shareOf = ({ stake }: Stand) =>
  Math.hypot(1.5 * (Number(stake / PHA) + 0.3 * SCORE), 2 * 1.2 * SCORE);

test("two workers in two pools earn in proportion to their shares", async () => {
  // The first answers of all replace the scores of the benchmark.
  await until("all have answered", 120, async () =>
    [small, large, restored, appealed, fined, accused].every((one) => settledOf(one).length > 0));
  const since = journal.height;
  const rates = [];
  for (const stand of [small, large]) {
    const settled = await until("six answers", 180, async () => {
      const found = settledOf(stand).filter(({ block }) => block > since);
      return found.length >= 6 && found;
    });
    const [first, ...rest] = settled;
    const gross = rest.reduce((sum, { data }) => sum + data.settlement.gross, 0n);
    const steps = (await clockAt(at(rest[rest.length - 1].hash))) - (await clockAt(at(first.hash)));
    const session = await mining.session(at(first.hash), stand.puppet.key);
    assert.ok(session && stateOf(session) === "Computing");
    const { budget } = await economyAt(first.hash);
    const rate = Number(gross) / steps;
    // Nothing moves a share here: nobody comes or goes, V^e is all of V as pay exceeds its growth, and
    // each answer shows the same speed. So what is off is the rounding of fractions and plancks.
    close(rate, (Number(budget) * Number(session.part)) / Number(PERQUINTILL), 1e-9, "its part");
    for (const { data } of rest) assert.equal(data.settlement.cap, 0n);
    rates.push(rate);
  }
  // The formula is computed with floating point here, and with 88 binary places there.
  close(rates[1] / rates[0], shareOf(large) / shareOf(small), 1e-9, "the ratio");
});

test("80 % of the pay goes to the pools and 20 % to the treasury, all of it out of the pot", async () => {
  // No transaction pays fees to the treasury meanwhile.
  const from = journal.height;
  await height(from + 12);
  const [start, end] = await Promise.all([hashOf(from), hashOf(from + 12)]);
  const [before, after] = await Promise.all([start, end].map(economyAt));
  const gained = async (id: string) => {
    const [old, now] = await Promise.all([start, end].map((hash) => accountOf(potOf(id), hash)));
    return now.free - old.free;
  };
  const [paid, treasury] = [after.paid - before.paid, after.treasury - before.treasury];
  const settled = journal
    .all<Settled>("mining", "Settled")
    .filter(({ block }) => block > from && block <= from + 12);
  const sum = (part: keyof Settlement) =>
    settled.reduce((all, { data }) => all + data.settlement[part], 0n);
  assert.ok(settled.length > 0 && paid > 0n);
  assert.equal(paid, sum("pool"));
  assert.equal(treasury, sum("treasury"));
  assert.equal(await gained("pha/pool"), paid);
  assert.equal(await gained("py/trsry"), treasury);
  assert.equal(await gained("pha/subs"), -paid - treasury);
  // Both parts of a payment are rounded down.
  const off = paid - 4n * treasury;
  const most = 4n * BigInt(settled.length);
  assert.ok(off >= -most && off <= most, `${paid} and ${treasury}`);
});

interface RoundCredited {
  pool: bigint;
  round: bigint;
  owner: bigint;
  delegators: bigint;
}

const creditsOf = ({ pool }: Stand) =>
  journal.all<RoundCredited>("stakePools", "RoundCredited", (data) => Number(data.pool) === pool);

/// The next credit of a round that begins after this moment.
async function nextCredit(stand: Stand): Promise<Happening<RoundCredited>> {
  const round = roundOf(journal.height);
  return until("a round's credit", 180, async () =>
    creditsOf(stand).find(({ data }) => Number(data.round) > round));
}

/// Pay of a pool's worker in a round.
const payOf = (stand: Stand, round: bigint) =>
  settledOf(stand)
    .filter(({ block }) => roundOf(block) === Number(round))
    .reduce((sum, { data }) => sum + data.settlement.pool, 0n);

/// That a credit divides the round's pay: commission first, then by stake.
function isDivided(stand: Stand, { data }: Happening<RoundCredited>, commission: number) {
  const pay = payOf(stand, data.round);
  const fee = (pay * BigInt(commission * 100)) / 100n;
  const own = ((pay - fee) * stand.own) / (stand.own + stand.delegated);
  // Plancks that could not be divided among the shares wait for the next round.
  const near = (found: bigint, expected: bigint) => {
    const off = found - expected;
    assert.ok(off > -10_000n && off < 10_000n, `round ${data.round}: ${found}, not ${expected}`);
  };
  near(data.owner, fee + own);
  near(data.delegators, pay - fee - own);
}

test("the commission comes first; a cut binds at once, a rise after notice", async () => {
  isDivided(small, await nextCredit(small), 0.1);
  const set = async (rate: number) => {
    const call = api.tx.stakePools.setCommission(small.pool, Math.round(Number(PERBILL) * rate));
    const { events, number } = await succeed(api, call, small.owner);
    const [event] = eventsOf(events, "stakePools", "CommissionSet");
    return Number(fields<{ binds: bigint }>(event).binds) - number - offset;
  };
  assert.equal(await set(0.05), 0);
  const constant = (value: unknown) => (value as { toNumber(): number }).toNumber();
  const grace = constant(api.consts.stakePools.gracePeriod);
  const coolDown = constant(api.consts.mining.coolDown);
  isDivided(small, await nextCredit(small), 0.05);
  assert.equal(await set(0.2), grace + coolDown);
  isDivided(small, await nextCredit(small), 0.05);
});

test("a delegator goes in and out, and each fee is about what was estimated", async () => {
  const heidi = wellKnown("Heidi");
  const stake = 500n * PHA;
  await succeed(api, api.tx.balances.transferKeepAlive(heidi.address, 1_000n * PHA), alice);
  let free = 1_000n * PHA;
  const send = async (call: Call) => {
    const { partialFee } = await call.paymentInfo(heidi);
    const done = await succeed(api, call, heidi);
    // The price of weight moves a little with each block.
    close(Number(feeOf(done)), partialFee.toNumber(), 1e-3, "the fee");
    free -= feeOf(done);
    return done;
  };
  const position = async (hash: string) => pools.position(at(hash), heidi.address, large.pool);
  const { contribute, claim, withdraw, process } = api.tx.stakePools;

  // Not at the end of a round: a block's calls are at the height of the block before it.
  await until("the middle of a round", 60, async () => {
    const place = (journal.height + offset) % ROUND;
    return place >= 2 && place <= 5;
  });
  const entered = await send(contribute(large.pool, stake));
  free -= stake;
  assert.deepEqual(await accountOf(heidi.address), { free, reserved: stake });
  const joining = await position(entered.block);
  // Nothing was lost here yet: a share costs a planck.
  assert.equal(joining?.shares, stake);
  assert.deepEqual([joining.joining, joining.held, joining.rewards], [stake, stake, 0n]);

  // Earns from the next round, whose pay is credited when it is over.
  const first = roundOf(entered.number) + 1;
  const credit = await until("the credit of a whole round", 120, async () =>
    creditsOf(large).find(({ data }) => Number(data.round) >= first));
  const old = await position(await hashOf(first * ROUND - offset));
  assert.deepEqual([old?.joining, old?.rewards], [0n, 0n]);
  const earned = (await position(credit.hash))?.rewards ?? 0n;
  const part = (credit.data.delegators * stake) / (large.delegated + stake);
  assert.ok(earned > 0n && part - earned < 10n && earned - part < 10n, `${earned}, not ${part}`);

  const claimed = async () => {
    const { events } = await send(claim(large.pool));
    const [event] = eventsOf(events, "stakePools", "RewardsClaimed");
    const { amount } = fields<{ amount: bigint }>(event);
    free += amount;
    assert.equal((await accountOf(heidi.address)).free, free);
    return amount;
  };
  assert.ok((await claimed()) >= earned);

  const asked = await send(withdraw(large.pool, stake));
  const eta = await pools.withdrawalEta(api, heidi.address, large.pool);
  assert.equal(eta, BigInt(asked.number + offset + ROUND));
  // Too early: nobody is paid, and the attempt is not free.
  const early = await succeed(api, process(large.pool, 10), alice);
  assert.ok(feeOf(early) > 0n && eventsOf(early.events, "stakePools", "Withdrawn").length === 0);
  await height(Number(eta) - offset);
  const paid = await succeed(api, process(large.pool, 10), alice);
  assert.equal(feeOf(paid), 0n);
  const [withdrawn] = eventsOf(paid.events, "stakePools", "Withdrawn");
  const { who, amount } = fields<{ who: string; amount: bigint }>(withdrawn);
  assert.deepEqual([who, amount], [heidi.address, stake]);
  free += stake;
  assert.deepEqual(await accountOf(heidi.address), { free, reserved: 0n });
  // What the shares earned in the queue can still be claimed.
  if (await pools.position(api, heidi.address, large.pool)) await claimed();
  assert.equal(await pools.position(api, heidi.address, large.pool), null);
});

test("a wrong heartbeat does not enter the pool and costs nothing", async (t) => {
  const { puppet } = large;
  const answered = puppet.last;
  assert.ok(answered);
  puppet.silent = true;
  const [asked, session] = await puppet.challenged(journal, journal.height);
  // By then the pool has seen the block that asks.
  await until("there is a later block", 30, async () => journal.height > asked.block);
  const right = puppet.answer(asked, session);
  const involved = [large.owner, large.operator].map(({ address }) => address);
  const balances = () => Promise.all([...involved, encodeAddress(puppet.key, 30)].map((who) => accountOf(who)));
  const before = await balances();
  const wrong: [string, string, RegExp][] = [
    ["another worker's signature", puppet.heartbeat(right, { by: small.puppet }), /bad signature/i],
    ["another chain's", puppet.heartbeat(right, { genesis: `0x${"11".repeat(32)}` }), /bad signature/i],
    ["an answered challenge", puppet.heartbeat(answered), /outdated/i],
    ["another session", puppet.heartbeat({ ...right, session: session + 1n }), /outdated/i],
    [
      "a block of a fork",
      puppet.heartbeat({ ...right, challenge: { ...right.challenge, hash: `0x${"22".repeat(32)}` } }),
      /outdated/i,
    ],
    [
      "a block that is not there yet",
      puppet.heartbeat({ ...right, challenge: { ...right.challenge, number: asked.block + 40 } }),
      /in the future/i,
    ],
    ["a worker without session", puppet.heartbeat({ ...right, worker: `0x${"33".repeat(32)}` }), /outdated/i],
  ];
  for (const [what, bytes, verdict] of wrong)
    await t.test(what, () => assert.rejects(puppet.submit(bytes), verdict));
  await t.test("the right one, and the same once more", async () => {
    const bytes = puppet.heartbeat(right);
    await puppet.submit(bytes);
    // It waits in the pool, or is in a block and answers nothing any more.
    await assert.rejects(puppet.submit(bytes), /already imported|temporarily banned|outdated/i);
    const other = puppet.heartbeat({ ...right, iterations: 7n });
    await assert.rejects(puppet.submit(other), /priority is too low|outdated/i);
    await until("it is settled", 30, async () =>
      settledOf(large).some(({ block }) => block > asked.block));
    await assert.rejects(puppet.submit(bytes), /temporarily banned|outdated/i);
  });
  assert.deepEqual(await balances(), before);
  puppet.silent = false;
});

interface Missed {
  worker: string;
  reason: string;
  forfeited: bigint;
}

/// When each was declared unresponsive.
const misses = new Map<Stand, Happening<Missed>>();

test("silent workers are declared unresponsive within the window, and lose V", async () => {
  const silent = [restored, appealed, fined];
  const since = journal.height;
  for (const { puppet } of silent) puppet.silent = true;
  for (const stand of silent) {
    const { key } = stand.puppet;
    const [asked] = await stand.puppet.challenged(journal, since);
    const missed = await journal.first<Missed>("mining", "Missed", ({ worker }) => worker === key);
    misses.set(stand, missed);
    assert.equal(missed.data.reason, "NoAnswer");
    assert.ok(missed.data.forfeited > 0n);
    // 20 relay-chain blocks; 15 blocks of the parachain and all its one author had their chance.
    assert.equal(missed.block, journal.servedFrom(asked.block + 21));
  }
  // A quarter of the answers would have to be missing for that.
  assert.equal((await mining.economy(api)).outage, false);
  const missed = misses.get(restored)!;
  const v = async (block: number) => {
    const session = await mining.session(at(await hashOf(block)), restored.puppet.key);
    assert.ok(session && stateOf(session) === "Unresponsive");
    return Number(session.v);
  };
  const later = missed.block + 5;
  await height(later);
  const clock = async (block: number) => {
    const counted = await clockAt(at(await hashOf(block)));
    assert.equal(counted - offset, journal.servedFrom(block) === block ? block : block - 1);
    return counted;
  };
  const steps = (await clock(later)) - (await clock(missed.block));
  close(await v(later), (await v(missed.block)) * LEFT ** steps, 1e-9, "V");
  const [why] = await mining.whyUnpaid(api, restored.puppet.key);
  assert.ok("Unresponsive" in (why as object));
});

test("a worker that answers again recovers after the probation, and earns again", async () => {
  const { key } = restored.puppet;
  const missed = misses.get(restored)!;
  const old = await mining.session(at(missed.hash), key);
  restored.puppet.silent = false;
  type Recovered = { worker: string; v: bigint; atRisk: bigint };
  const recovered = await journal.first<Recovered>("mining", "Recovered", ({ worker }) => worker === key);
  const steps = (await clockAt(at(recovered.hash))) - (await clockAt(at(missed.hash)));
  assert.ok(steps > PROBATION, `after ${steps}`);
  const paid = settledOf(restored).filter(({ block }) => block > missed.block && block <= recovered.block);
  assert.deepEqual(paid, []);
  close(Number(recovered.data.v), Number(old!.v) * LEFT ** steps, 1e-9, "V");
  close(Number(recovered.data.atRisk), Number(restored.stake) * (1 - LEFT ** steps), 1e-6, "the loss");
  const settled = await until("it is paid again", 120, async () =>
    settledOf(restored).find(({ block }) => block > recovered.block));
  assert.ok(settled.data.settlement.pool > 0n);
});

interface Recorded {
  id: OffenceId;
  offender: { Worker: string };
  suspected: bigint;
  due: bigint;
}

const is = (id: OffenceId) => (data: { id: OffenceId }) =>
  data.id.class === id.class && data.id.index === id.index;

/// Stops a worker that health was lost of, and checks that its owner has a loss set aside at once.
async function stopAtALoss(stand: Stand): Promise<Recorded> {
  const { key } = stand.puppet;
  const old = await pools.pool(api, stand.pool);
  await succeed(api, api.tx.stakePools.stop(key), stand.owner);
  const { hash, data } = await journal.first<{ worker: string; lost: bigint }>(
    "mining",
    "Ended",
    ({ worker }) => worker === key,
  );
  assert.ok(data.lost > 0n);
  const recorded = await journal.first<Recorded>(
    "slashing",
    "OffenceRecorded",
    ({ offender }) => offender.Worker === key,
  );
  const { id, suspected } = recorded.data;
  assert.equal(id.class, "Outage");
  // The ledger counts severity in parts of 10¹⁸.
  assert.ok(suspected <= data.lost && data.lost - suspected <= 1_000_000n, `${suspected}`);
  const { pool } = await pools.pool(at(hash), stand.pool);
  assert.deepEqual([pool.own, pool.ownSuspected], [old.pool.own - suspected, suspected]);
  const [[known]] = await slashing.offencesOf(api, stand.owner.address);
  assert.deepEqual(known, id);
  return recorded.data;
}

/// That an offence was cancelled and everything is as if it had never been.
async function isRestored(stand: Stand, { id, suspected, due }: Recorded) {
  const cancelled = await journal.first<{ id: OffenceId; restored: bigint; charged: bigint }>(
    "slashing",
    "OffenceCancelled",
    is(id),
    { seconds: 240 },
  );
  assert.ok(cancelled.block + offset < Number(due));
  assert.deepEqual([cancelled.data.restored, cancelled.data.charged], [suspected, 0n]);
  const { pool } = await pools.pool(at(cancelled.hash), stand.pool);
  assert.deepEqual([pool.own, pool.ownSuspected], [stand.own, 0n]);
  assert.equal(pool.shares.value, stand.delegated);
}

const losses = new Map<Stand, Recorded>();

test("what health lost is suspected at the stop, and Root cancels it", async () => {
  const stopped = await Promise.all([restored, appealed, fined].map(stopAtALoss));
  [restored, appealed, fined].forEach((stand, n) => losses.set(stand, stopped[n]));
  const loss = losses.get(restored)!;
  const why = await slashing.why(api, loss.id);
  assert.deepEqual([why?.suspected, why?.notBefore], [loss.suspected, loss.due]);
  const { class: kind, index } = loss.id;
  await asRoot(api, api.tx.slashing.cancel({ class: kind, index }, false));
  await isRestored(restored, loss);
});

test("a referendum on the track of the slash canceller cancels a loss before it is due", async () => {
  const loss = losses.get(appealed)!;
  const call = api.tx.slashing.cancel({ ...loss.id }, false).method;
  const lookup = { hash: blake2AsHex(call.toU8a()), len: call.toU8a().length };
  const index = (await api.query.referenda.referendumCount()).toString();
  const { submit, placeDecisionDeposit } = api.tx.referenda;
  const origin = { Dao: "SlashCanceller" };
  const steps = [
    api.tx.preimage.notePreimage(call.toHex()),
    submit(origin as never, { Lookup: lookup }, { After: 0 }),
    placeDecisionDeposit(index),
  ];
  await succeed(api, api.tx.utility.batchAll(steps), alice);
  const ballot = { Standard: { vote: { aye: true, conviction: "None" }, balance: 9_000_000n * PHA } };
  const vote = api.tx.convictionVoting.vote(index, ballot);
  await Promise.all([alice, bob, charlie].map((voter) => succeed(api, vote, voter)));
  await isRestored(appealed, loss);
});

test("an accusation that is upheld costs owner, delegators and nobody else", async () => {
  const { key } = accused.puppet;
  const all = await issuance();
  const committed = journal.height + offset;
  const evidence = u8aToHex(randomBytes(32));
  const old = { alice: await accountOf(alice.address), bob: await accountOf(bob.address) };
  const bond = await slashing.bond(api);
  const accuse = api.tx.slashing.accuse("Compromise", { Worker: key }, committed, evidence);
  const filed = await succeed(api, accuse, bob);
  assert.equal((await accountOf(bob.address)).reserved, old.bob.reserved + bond);
  const [event] = eventsOf(filed.events, "slashing", "Accused");
  // A fifth of the worst: half of the stake would be taken for that.
  const judged = api.tx.slashing.convict(fields<{ id: bigint }>(event).id, PERQUINTILL / 5n);
  const { block } = await asRoot(api, judged);
  const recorded = await journal.first<Recorded>(
    "slashing",
    "OffenceRecorded",
    ({ offender, id }) => offender.Worker === key && id.class === "Compromise",
  );
  const loss = accused.stake / 10n;
  assert.equal(recorded.data.suspected, loss);

  // The owner's stake first, the rest by the price of a share, at once.
  const others = loss - accused.own;
  const { pool } = await pools.pool(at(block), accused.pool);
  assert.deepEqual([pool.own, pool.shares.value], [0n, accused.delegated - others]);
  const position = await pools.position(at(block), charlie.address, accused.pool);
  assert.deepEqual(
    [position?.worth, position?.held, position?.suspected],
    [accused.delegated - others, accused.delegated, others],
  );

  const { data } = await journal.first<{ id: OffenceId; charged: bigint; rewarded: bigint }>(
    "slashing",
    "Slashed",
    is(recorded.data.id),
    { seconds: 240 },
  );
  // The reporter has a tenth of what the owner loses, and nothing of the delegators'.
  assert.deepEqual([data.charged, data.rewarded], [loss, accused.own / 10n]);
  assert.equal(await issuance(), all);
  assert.equal((await accountOf(alice.address)).reserved, old.alice.reserved - accused.own);
  assert.equal((await accountOf(bob.address)).reserved, old.bob.reserved);

  // Anybody collects the delegators' part, and pays nothing for it.
  const held = (await accountOf(charlie.address)).reserved;
  await until("the round of the loss is over", 60, async () => {
    const { round } = (await pools.pool(api, accused.pool)).pool;
    return Number(round) > roundOf(recorded.block);
  });
  const settle = await succeed(api, api.tx.stakePools.settle(accused.pool, charlie.address), dave);
  assert.equal(feeOf(settle), 0n);
  const [collected] = eventsOf(settle.events, "stakePools", "LossCollected");
  assert.equal(fields<{ collected: bigint }>(collected).collected, others);
  assert.equal((await accountOf(charlie.address)).reserved, held - others);
  assert.equal(await issuance(), all);
});

test("a loss that nobody cancels goes to the treasury, and the rest of the stake comes back", async () => {
  const { id, suspected, due } = losses.get(fined)!;
  const applied = await journal.first<{ id: OffenceId; charged: bigint }>(
    "slashing",
    "OffenceApplied",
    is(id),
    { seconds: 240 },
  );
  assert.ok(applied.block + offset >= Number(due));
  // Below 1 % of all stake: nothing is lowered.
  assert.equal(applied.data.charged, suspected);
  const [before, after] = await Promise.all([applied.block - 1, applied.block].map(hashOf));
  const change = async (who: string) => {
    const [old, now] = [await accountOf(who, before), await accountOf(who, after)];
    return now.free + now.reserved - old.free - old.reserved;
  };
  assert.equal(await change(fined.owner.address), -suspected);
  assert.ok((await change(TREASURY)) >= suspected);
  const { pool } = await pools.pool(api, fined.pool);
  assert.deepEqual([pool.own, pool.ownSuspected], [fined.own - suspected, 0n]);
  assert.equal(pool.shares.value, fined.delegated);

  const state = (await mining.session(api, fined.puppet.key))?.info.state;
  assert.ok(typeof state === "object" && "CoolingDown" in state);
  await height(Number(state.CoolingDown.until) - offset);
  const { events } = await succeed(api, api.tx.stakePools.reclaim(fined.puppet.key), dave);
  const [reclaimed] = eventsOf(events, "stakePools", "WorkerReclaimed");
  assert.equal(fields<{ stake: bigint }>(reclaimed).stake, fined.stake - suspected);
});

test("nothing was minted or burnt, and nothing happened that cannot", async () => {
  assert.equal(await issuance(), 1_000_000_000n * PHA);
  for (const section of ["mining", "stakePools", "slashing"])
    assert.deepEqual(journal.all(section, "Unexpected"), []);
  // Each answer was taken.
  assert.deepEqual(journal.faults, []);
});
