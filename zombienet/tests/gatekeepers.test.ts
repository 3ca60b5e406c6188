// Gatekeeper programs against a single node: they are elected, make the master key, answer a worker, hand
// the key over when one is voted out, and come back when they are killed in the middle of that. In the end one
// deals faulty shares, which takes a program that was built with `fault-injection`.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApiPromise } from "@polkadot/api";
import { PHA, asRoot, connect, succeed, until, wellKnown } from "../src/client.ts";
import { DevNode } from "../src/dev-node.ts";
import { Gatekeeper, type LiveKey, keys, stand } from "../src/gatekeeper.ts";
import { Journal } from "../src/market.ts";
import { bringCollateral } from "../src/puppet.ts";
import { Worker } from "../src/program.ts";

/// Milliseconds from block to block. Each counts as six seconds, so that the chain's clock runs ahead.
const BLOCK_TIME = 3_000;
/// Long enough for two sessions, an election and all phases of a ceremony, with room for a busy machine.
const CEREMONY = 900;

const names = ["Alice", "Bob", "Charlie", "Dave", "Eve"];
const stashes = names.map(wellKnown);
/// The fourth has the least behind it, and is voted out by those who nominate the fifth.
const BONDS = [30_000n, 30_000n, 30_000n, 5_000n, 2_000n].map((bond) => bond * PHA);
const [, , , , eve] = stashes;
const ferdie = wellKnown("Ferdie");

let node: DevNode;
let api: ApiPromise;
let journal: Journal;
let programs: Gatekeeper[] = [];
const workers: Worker[] = [];

before(async () => {
  node = await DevNode.start(9960, "--dev-block-time", String(BLOCK_TIME));
  api = await connect(node.port);
  journal = await Journal.open(api);
  // So that five programs do not bring the same.
  await bringCollateral(api, ferdie);
  programs = names.map((name, machine) => new Gatekeeper(node.port, `//${name}`, 20 + machine));
});

after(async () => {
  for (const program of [...programs, ...workers]) await program.remove();
  await journal?.close();
  await api?.disconnect();
  await node?.stop();
});

/// Starts a program and waits for its registration.
async function register(program: Gatekeeper): Promise<string> {
  program.start();
  return program.registered(api, 300);
}

/// The files of a kind in a state folder.
const files = ({ directory }: Gatekeeper, kind: string) =>
  readdirSync(directory).filter((name) => name.startsWith(`${kind}-`));

/// Waits until those in office are these stashes, each with its share, and nothing is left of the
/// ceremony in any folder.
async function settled(expected: string[]): Promise<void> {
  await until("all shares are taken", CEREMONY, async () => {
    const office = await keys.office(api);
    if (office.map(({ account }) => account).sort().join() !== [...expected].sort().join()) return false;
    const number = (await keys.live(api))?.number;
    return programs.every((program, at) => {
      const holds = expected.includes(stashes[at].address);
      const shares = files(program, "share").join();
      return shares === (holds ? `share-${number}.sealed` : "") && files(program, "part").length === 0;
    });
  });
}

interface Told {
  cluster: string;
  epoch: number;
  master: string;
  public: string;
}

/// The key of its cluster, as far as a worker tells: the public key that derives from it.
async function clusterKey(worker: Worker): Promise<Told> {
  const { code, output } = await worker.command("cluster-key", "--json", "--patience", "900");
  assert.equal(code, 0, output);
  return JSON.parse(output) as Told;
}

async function worker(platform: number): Promise<Worker> {
  const made = new Worker(node.port, "//Ferdie", platform);
  workers.push(made);
  await made.runOnce(300, "--benchmark", "never");
  return made;
}

test("the doctor finds machines that can register, and makes no keys", async () => {
  const [program] = programs;
  const { code, checks } = await program.doctor();
  assert.equal(code, 0, JSON.stringify(checks));
  const of = (name: string) => checks.find(({ check }) => check === name);
  assert.equal(of("runtime")?.verdict, "fine");
  assert.match(of("keys")?.found ?? "", /none yet/);
  assert.equal((await program.command("key")).code, 1);
  assert.ok(!existsSync(join(program.directory, "keys.sealed")));
});

let first: LiveKey;

test("four gatekeepers register, are elected and make the first master key", async () => {
  const founders = programs.slice(0, 4);
  const registered = await Promise.all(founders.map(register));
  await Promise.all(registered.map((key, at) => stand(api, stashes[at], key, BONDS[at])));
  const { output } = await founders[0].command("key");
  assert.match(output, /stands with it/);
  await settled(stashes.slice(0, 4).map(({ address }) => address));
  first = (await keys.live(api))!;
  assert.equal(first.epoch, 0n);
  for (const program of founders) {
    const { keys: held } = await program.status();
    assert.deepEqual([held.length, held[0].has_share, held[0].holders], [1, true, 4]);
  }
});

let derived: Told;

test("a worker derives its cluster's key from partials", async () => {
  const asking = await worker(30);
  derived = await clusterKey(asking);
  assert.equal(derived.master, first.publicKey);
  // Another one of the same operator, on another machine, from whatever holders answer it.
  const other = await worker(31);
  await programs[0].stop();
  assert.deepEqual(await clusterKey(other), derived);
  programs[0].start();
});

type Phase = string | Record<string, unknown>;
const inPhase = (phase: string) => (data: { number: bigint; phase: Phase }) =>
  typeof data.phase === "string" ? data.phase === phase : phase in data.phase;

test("a fifth is nominated in, one is voted out, and each phase is survived by one that is killed", async () => {
  const key = await register(programs[4]);
  await stand(api, eve, key, BONDS[4]);
  const since = journal.height;
  const { bond, nominate } = api.tx.staking;
  await succeed(api, api.tx.utility.batchAll([bond(500_000n * PHA, "Stash"), nominate([eve.address])]), ferdie);

  const opened = await journal.first<{ number: bigint; purpose: string }>(
    "gatekeeperKeys",
    "CeremonyOpened",
    () => true,
    { seconds: CEREMONY, since },
  );
  assert.equal(opened.data.purpose, "Handover");
  // Bob while keys are made, Charlie while shares are dealt, Alice while they are disputed.
  const killed = async (program: Gatekeeper, phase?: string) => {
    if (phase) {
      const { block } = opened;
      await journal.first("gatekeeperKeys", "PhaseBegan", inPhase(phase), { seconds: 300, since: block });
    }
    await program.kill();
    program.start();
  };
  await killed(programs[1]);
  await killed(programs[2], "Sharing");
  await killed(programs[0], "Complaining");

  await settled([0, 1, 2, 4].map((at) => stashes[at].address));
  const live = (await keys.live(api))!;
  assert.deepEqual([live.epoch, live.publicKey], [0n, first.publicKey], "the key is the same");
  assert.notEqual(live.number, first.number, "the shares are others");
  const faults = journal.all("gatekeeperKeys", "FaultReported");
  assert.deepEqual(faults, [], "nobody was late");
  const [mine] = (await programs[3].status()).keys;
  assert.deepEqual([mine.seat, mine.has_share], [null, false]);
});

test("the worker gets the same cluster key from the new holders", async () => {
  // An answered request stays on record for a while; the program waits until it may ask again.
  assert.deepEqual(await clusterKey(workers[0]), derived);
});

test("one that deals faulty shares is convicted and loses stake, and the others make the next key", async () => {
  const [, bob] = stashes;
  await programs[1].stop();
  const lines = programs[1].lines().length;
  programs[1].start("--deal-bad-shares");
  await until("it is back", 60, async () =>
    programs[1].lines().slice(lines).some(({ message }) => message === "gatekeeper"));
  assert.ok(programs[1].isRunning(), programs[1].logText().slice(-1_000));
  const since = journal.height;
  await asRoot(api, api.tx.gatekeeperKeys.rotate(false));
  const reported = await journal.first<{ gatekeeper: string; fault: string }>(
    "gatekeeperKeys",
    "FaultReported",
    () => true,
    { seconds: CEREMONY, since },
  );
  assert.deepEqual([reported.data.gatekeeper, reported.data.fault], [bob.address, "BadShare"]);
  type Suspected = { offender: string; amount: bigint };
  const lost = await journal.first<Suspected>("gatekeeperElection", "StakeSuspected", () => true, { since });
  assert.equal(lost.data.offender, bob.address);
  // 5 %, of which the ledger's fraction is rounded down.
  assert.ok(lost.data.amount + 1_000n >= BONDS[1] / 20n, `${lost.data.amount}`);
  const next = await until("the next key", CEREMONY, async () => {
    const live = await keys.live(api);
    return live && live.epoch > first.epoch ? live : undefined;
  });
  assert.notEqual(next.publicKey, first.publicKey);
  assert.deepEqual(journal.all("gatekeeperKeys", "FaultReported"), [reported], "nobody else is blamed");
});

test("shares that are sealed with peers open when these give the guards", async () => {
  const charlie = programs[2];
  const restart = async (...flags: string[]) => {
    await charlie.stop();
    const lines = charlie.lines().length;
    charlie.start(...flags);
    return lines;
  };
  const held = async () => {
    const found = (await charlie.status()).keys.filter(({ seat }) => seat !== null);
    assert.ok(found.length > 0, "it has a seat");
    return found;
  };
  await restart("--peer-seal", "on");
  await until("its shares are sealed with guards", 300, async () =>
    (await held()).every(({ sealed }) => sealed));
  const lines = await restart("--peer-seal", "on");
  await until("it has its guards back", 300, async () => {
    const told = charlie.lines().slice(lines).filter(({ message }) => message === "has its guard");
    return told.length === (await held()).length;
  });
  await restart();
  await until("its shares are sealed by the TEE alone", 300, async () =>
    (await held()).every(({ has_share }) => has_share));
});

test("the doctor finds nothing to mend, and programs end when asked", async () => {
  for (const at of [0, 2, 4]) {
    await until("its shares are here", 60, async () => {
      const { keys } = await programs[at].status();
      return keys.length > 0 && keys.every((key) => key.has_share);
    });
    const { checks } = await programs[at].doctor();
    const of = (name: string) => checks.find(({ check }) => check === name)?.verdict;
    assert.deepEqual([of("keys held"), of("election"), of("runtime")], ["fine", "fine", "fine"]);
    assert.equal(await programs[at].stop(), 0);
  }
});
