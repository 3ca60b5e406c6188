// The worker program against a single node whose genesis trusts the development root.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApiPromise } from "@polkadot/api";
import type { KeyringPair } from "@polkadot/keyring/types";
import type { BN } from "@polkadot/util";
import {
  PHA,
  asRoot,
  connect,
  eventsOf,
  finalise,
  finalisedNumber,
  sleep,
  succeed,
  until,
  wellKnown,
} from "../src/client.ts";
import { DevNode } from "../src/dev-node.ts";
import { type Claim, quote, reportData } from "../src/puppet.ts";
import { Worker } from "../src/program.ts";

/// Long enough for collateral, registration and benchmark, one after the other.
const REGISTRATION = 400;

const alice = wellKnown("Alice");
const bob = wellKnown("Bob");
const charlie = wellKnown("Charlie");

let node: DevNode;
let api: ApiPromise;
const workers: Worker[] = [];

function worker(secret: string, platform: number): Worker {
  const made = new Worker(node.port, secret, platform);
  workers.push(made);
  return made;
}

before(async () => {
  node = await DevNode.start(9956);
  api = await connect(node.port);
  // Governance allows this program's measurement, unless the genesis does.
  const { output } = await worker("//Alice", 0).command("measure");
  const measurement = output.trim();
  assert.match(measurement, /^0x[0-9a-f]{64}$/);
  const allowed = await api.query.workerRegistry.measurements(measurement);
  if (allowed.isEmpty) {
    const record = { role: "Worker", activeFrom: 0, sunset: null, provenance: "" };
    const allow = api.tx.workerRegistry.setMeasurement(measurement, record);
    await asRoot(api, allow);
  }
});

after(async () => {
  for (const made of workers) await made.remove();
  await api?.disconnect();
  await node?.stop();
});

interface Record {
  operator: { toString(): string };
  attestedAt: { toBigInt(): bigint };
  judgement: { expiresAt: { toBigInt(): bigint } };
  score: { isSome: boolean; unwrap(): { value: { toBigInt(): bigint } } };
  endpoint: { isSome: boolean; unwrap(): { toUtf8(): string } };
}

async function record(key: string): Promise<Record | undefined> {
  const found = await api.query.workerRegistry.workers(key);
  return found.isEmpty ? undefined : (found as unknown as { unwrap(): Record }).unwrap();
}

async function workersOf(account: KeyringPair): Promise<string[]> {
  const keys = await api.query.workerRegistry.operatorWorkers.keys(account.address);
  return keys.map((key) => key.args[1].toHex());
}

/// How often each of our calls was included in a block so far, whatever it did.
async function calls(signer: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const head = (await api.rpc.chain.getHeader()).number.toNumber();
  for (let number = 1; number <= head; number++) {
    const { block } = await api.rpc.chain.getBlock(await api.rpc.chain.getBlockHash(number));
    for (const { method, signer: by, isSigned } of block.extrinsics) {
      if (!isSigned || by.toString() !== signer || method.section !== "workerRegistry") continue;
      counts.set(method.method, (counts.get(method.method) ?? 0) + 1);
    }
  }
  return counts;
}

/// The number of its next transaction, after those that wait for a block.
const nextIndex = async ({ address }: KeyringPair) =>
  (await api.rpc.system.accountNextIndex(address)).toNumber();

test("the doctor finds a machine that can register", async () => {
  const { code, checks } = await workers[0].doctor();
  assert.equal(code, 0, JSON.stringify(checks));
  const of = (name: string) => checks.find(({ check }) => check === name);
  assert.equal(of("tee")?.verdict, "attention");
  assert.match(of("collateral")?.found ?? "", /will submit|on chain/);
  assert.match(of("keys")?.found ?? "", /none yet/);
  assert.match(of("attestation")?.found ?? "", /before the collateral is on chain|not registered/);
  assert.ok(!existsSync(join(workers[0].directory, "keys.sealed")), "it makes no keys");
});

test("a worker registers, is scored and shows up in polkadot.js", async () => {
  const first = workers[0];
  await first.runOnce(REGISTRATION, "--endpoint", "tcp://worker.example:1234");
  const key = first.key();
  assert.ok(key);
  assert.deepEqual(await workersOf(alice), [key]);
  const found = await record(key);
  assert.ok(found);
  assert.equal(found.operator.toString(), alice.address);
  assert.ok(found.judgement.expiresAt.toBigInt() > found.attestedAt.toBigInt());
  assert.ok(found.score.unwrap().value.toBigInt() > 0n);
  assert.equal(found.endpoint.unwrap().toUtf8(), "tcp://worker.example:1234");
  const { code, checks } = await first.doctor();
  assert.equal(code, 0, JSON.stringify(checks));
});

test("a second start finds everything done", async () => {
  const before = await nextIndex(alice);
  await workers[0].runOnce(60, "--endpoint", "tcp://worker.example:1234");
  assert.equal(await nextIndex(alice), before);
});

test("killed ten times at random, it registers exactly once", async () => {
  const second = worker("//Bob", 1);
  for (let life = 0; life < 10; life++) {
    second.start();
    // From before it has connected until after it may have registered.
    await sleep(100 + Math.random() * (life < 5 ? 2_000 : 15_000));
    await second.kill();
  }
  await second.runOnce(REGISTRATION);
  assert.equal(new Set(second.lines().map(({ worker }) => worker).filter(Boolean)).size, 1);
  assert.deepEqual(await workersOf(bob), [second.key()]);
  const counts = await calls(bob.address);
  assert.equal(counts.get("register"), 1);
  assert.equal(counts.get("reportScore"), 1);
  assert.equal(counts.get("renew"), undefined);
});

test("without the deposit nothing is sent, and the doctor says why", async () => {
  const poor = wellKnown("Poor");
  await succeed(api, api.tx.balances.transferKeepAlive(poor.address, PHA / 10n), alice);
  const third = worker("//Poor", 2);
  const { code, checks } = await third.doctor();
  assert.equal(code, 1);
  const attestation = checks.find(({ check }) => check === "attestation");
  assert.equal(attestation?.verdict, "failure");
  assert.match(attestation?.found ?? "", /Token\/FundsUnavailable.*Send PHA to/);
  const ended = await third.command("--once");
  assert.equal(ended.code, 1);
  assert.match(ended.output, /Token\/FundsUnavailable/);
  assert.equal(await nextIndex(poor), 0);
});

test("a running worker ends when asked, and is not disturbed by a twin", async () => {
  const [first] = workers;
  // It has logged the same when it ran before.
  const lines = first.lines().length;
  first.start();
  await until("the first has connected", 60, async () =>
    first.lines().slice(lines).some(({ message }) => message === "worker"),
  );
  const { code, output } = await first.command("--once");
  assert.equal(code, 1);
  assert.match(output, /another process uses this folder/);
  assert.equal(await first.stop(), 0);
});

/// A claim by random keys at a finalised block some blocks ago.
async function claimAt(on: ApiPromise, number: number): Promise<Claim> {
  const hash = (await on.rpc.chain.getBlockHash(number)).toHex();
  const random = () => `0x${randomBytes(32).toString("hex")}`;
  return { worker: random(), encryptionKey: random(), block: { number, hash } };
}

/// The error of a registration, as `Outer/Inner`; undefined if it succeeds.
async function refusal(on: ApiPromise, claim: Claim, made: string): Promise<string | undefined> {
  const call = on.tx.workerRegistry.register(made, { role: "Worker", ...claim });
  const { events } = await finalise(on, call, charlie);
  const [failed] = eventsOf(events, "system", "ExtrinsicFailed");
  if (!failed) return undefined;
  const [error] = failed.data as unknown as [{ asModule: { error: Uint8Array } }];
  const pallets = on.runtimeMetadata.asLatest.pallets;
  const pallet = pallets.find(({ name }) => name.toString() === "WorkerRegistry");
  const type = on.registry.createLookupType(pallet!.errors.unwrap().type);
  const human = on.registry.createType(type, error.asModule.error).toHuman();
  return typeof human === "string" ? human : Object.entries(human as object)[0].join("/");
}

test("a quote is for one chain, one fork and a short time", async (t) => {
  const head = await finalisedNumber(api);
  const genesis = api.genesisHash.toHex();
  const claim = await claimAt(api, head);

  await t.test("another chain", async () => {
    const foreign = reportData(`0x${"11".repeat(32)}`, charlie, claim);
    assert.equal(await refusal(api, claim, await quote(foreign, 7)), "Attestation/ReportDataMismatch");
  });
  await t.test("another account", async () => {
    const others = reportData(genesis, alice, claim);
    assert.equal(await refusal(api, claim, await quote(others, 7)), "Attestation/ReportDataMismatch");
  });
  await t.test("a block of a fork", async () => {
    const forked = { ...claim, block: { number: head, hash: `0x${"22".repeat(32)}` } };
    const data = reportData(genesis, charlie, forked);
    assert.equal(await refusal(api, forked, await quote(data, 7)), "Binding/BlockOnOtherFork");
  });
  await t.test("a block that is not there yet", async () => {
    const ahead = { ...claim, block: { ...claim.block, number: head + 1_000 } };
    const data = reportData(genesis, charlie, ahead);
    assert.equal(await refusal(api, ahead, await quote(data, 7)), "Binding/BlockUnknown");
  });
  await t.test("the same quote with everything right", async () => {
    const data = reportData(genesis, charlie, claim);
    assert.equal(await refusal(api, claim, await quote(data, 7)), undefined);
  });
});

test("a quote over a stale block is refused", async () => {
  // Time flies on a chain of its own.
  const fast = await DevNode.start(9957, "--dev-block-time", "200");
  let on: ApiPromise | undefined;
  try {
    const chain = (on = await connect(fast.port));
    const claim = await claimAt(chain, 1);
    const window = (chain.consts.workerRegistry.freshnessWindow as unknown as BN).toNumber();
    await until("the window has passed", 300, async () => (await finalisedNumber(chain)) > window + 1);
    const data = reportData(chain.genesisHash.toHex(), charlie, claim);
    assert.equal(await refusal(chain, claim, await quote(data, 7)), "Binding/BlockTooOld");
  } finally {
    // Or it tries to connect for ever, and this process never ends.
    await on?.disconnect();
    await fast.stop();
  }
});
