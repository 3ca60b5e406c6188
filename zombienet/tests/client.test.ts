// What a wallet or dApp sees through polkadot.js, against a single node.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ApiPromise } from "@polkadot/api";
import type { SiLookupTypeId } from "@polkadot/types/interfaces";
import { u8aToHex } from "@polkadot/util";
import { createKeyMulti, encodeAddress, sortAddresses } from "@polkadot/util-crypto";
import {
  PARA_ID,
  PHA,
  connect,
  eventsOf,
  finalise,
  finalisedNumber,
  rpc,
  signedExtensions,
  until,
  wellKnown,
} from "../src/client.ts";
import { DevNode } from "../src/dev-node.ts";

const alice = wellKnown("Alice");
const bob = wellKnown("Bob");
const charlie = wellKnown("Charlie");

let node: DevNode;
let api: ApiPromise;

before(async () => {
  node = await DevNode.start(9955);
  api = await connect(node.port);
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
});

const free = async (address: string) =>
  (await api.query.system.account(address)).data.free.toBigInt();

test("the chain names its token, decimals and address format", async () => {
  const properties = await api.rpc.system.properties();
  assert.deepEqual(properties.tokenSymbol.unwrap().toJSON(), ["PHA"]);
  assert.deepEqual(properties.tokenDecimals.unwrap().toJSON(), [12]);
  assert.equal(properties.ss58Format.unwrap().toNumber(), 30);
  assert.equal(api.registry.chainSS58, 30);
  assert.equal(api.consts.balances.existentialDeposit.toBigInt(), PHA / 100n);
  assert.equal((await api.query.balances.totalIssuance()).toBigInt(), 1_000_000_000n * PHA);
  assert.equal(api.runtimeVersion.specName.toString(), "phala-parachain");
});

test("the client knows all transaction extensions and pallets", async () => {
  const standard = [
    "CheckNonZeroSender",
    "CheckSpecVersion",
    "CheckTxVersion",
    "CheckGenesis",
    "CheckMortality",
    "CheckNonce",
    "CheckWeight",
    "ChargeTransactionPayment",
    "CheckMetadataHash",
  ];
  assert.deepEqual(
    [...api.registry.signedExtensions].sort(),
    [...standard, ...Object.keys(signedExtensions)].sort(),
  );
  for (const section of ["safeMode", "txPause", "polkadotXcm", "identity", "vesting", "sudo"])
    assert.ok(api.tx[section], `api.tx.${section}`);
  // Of the development composition alone, so the runtime's table of indices lacks it.
  assert.equal(api.tx.sudo.sudo.callIndex[0], 15);
  assert.equal((await api.query.parachainInfo.parachainId()).toString(), `${PARA_ID}`);
});

test("the client makes every type of the metadata, and reads every constant and default back as it was", () => {
  const { registry } = api;
  const { lookup, pallets } = registry.metadata;
  for (const { id } of lookup.types) registry.createType(registry.createLookupType(id));
  let read = 0;
  const decode = (type: SiLookupTypeId, bytes: Uint8Array) => {
    const value = registry.createTypeUnsafe(registry.createLookupType(type), [bytes]);
    assert.equal(u8aToHex(value.toU8a()), u8aToHex(bytes), `type ${type}`);
    read++;
  };
  for (const { constants, storage } of pallets) {
    for (const { type, value } of constants) decode(type, value.toU8a(true));
    for (const { fallback, modifier, type } of storage.isSome ? storage.unwrap().items : [])
      if (!modifier.isOptional) decode(type.isPlain ? type.asPlain : type.asMap.value, fallback.toU8a(true));
  }
  assert.ok(read > 300, `${read} are enough to notice a mistake in this test`);
});

test("a transfer arrives, and its estimated fee is the fee paid", async () => {
  const before = await free(charlie.address);
  const tx = api.tx.balances.transferKeepAlive(charlie.address, 5n * PHA);
  const { partialFee } = await tx.paymentInfo(alice);
  const { block, events } = await finalise(api, tx, alice);
  const [paid] = eventsOf(events, "transactionPayment", "TransactionFeePaid");
  const fee = (paid.data as unknown as { actualFee: { toBigInt(): bigint } }).actualFee.toBigInt();
  // Each block moves the price of weight a little: on the block that it was built on, the estimate is exact.
  const off = Number(fee) / partialFee.toNumber() - 1;
  assert.ok(Math.abs(off) < 1e-3, `${fee}, not ${partialFee}`);
  const { header, extrinsics } = (await api.rpc.chain.getBlock(block)).block;
  const sent = extrinsics[events[0].phase.asApplyExtrinsic.toNumber()].toHex();
  const exact = await rpc(node.port, "payment_queryInfo", [sent, header.parentHash.toHex()]);
  assert.equal(fee, BigInt(exact.partialFee));
  assert.equal(await free(charlie.address), before + 5n * PHA);
  assert.equal(eventsOf(events, "system", "ExtrinsicSuccess").length, 1);
});

test("a batch does all or nothing", async () => {
  const pay = (amount: bigint) => api.tx.balances.transferKeepAlive(charlie.address, amount);
  const before = await free(charlie.address);
  const good = await finalise(api, api.tx.utility.batchAll([pay(PHA), pay(2n * PHA)]), alice);
  assert.equal(eventsOf(good.events, "balances", "Transfer").length, 2);
  assert.equal(await free(charlie.address), before + 3n * PHA);
  const bad = await finalise(
    api,
    api.tx.utility.batchAll([pay(PHA), pay(2_000_000_000n * PHA)]),
    alice,
  );
  assert.equal(eventsOf(bad.events, "system", "ExtrinsicFailed").length, 1);
  assert.equal(await free(charlie.address), before + 3n * PHA);
});

test("a proxy acts within its kind and no further", async () => {
  await finalise(api, api.tx.proxy.addProxy(bob.address, "NonTransfer", 0), alice);
  const remark = api.tx.proxy.proxy(alice.address, null, api.tx.system.remarkWithEvent("0x01"));
  const allowed = await finalise(api, remark, bob);
  assert.equal(eventsOf(allowed.events, "system", "Remarked").length, 1);
  const before = await free(charlie.address);
  const transfer = api.tx.balances.transferKeepAlive(charlie.address, PHA);
  const refused = await finalise(api, api.tx.proxy.proxy(alice.address, null, transfer), bob);
  assert.match(eventsOf(refused.events, "proxy", "ProxyExecuted").toString(), /err/i);
  assert.equal(await free(charlie.address), before);
  await finalise(api, api.tx.proxy.removeProxy(bob.address, "NonTransfer", 0), alice);
});

test("a multisig of two needs both", async () => {
  const signatories = [alice.address, bob.address];
  const multi = encodeAddress(createKeyMulti(signatories, 2), 30);
  await finalise(api, api.tx.balances.transferKeepAlive(multi, 20n * PHA), alice);
  const call = api.tx.balances.transferKeepAlive(charlie.address, 7n * PHA);
  const weight = (await call.paymentInfo(alice)).weight;
  const before = await free(charlie.address);
  const others = (of: string) => sortAddresses(signatories.filter((one) => one !== of), 30);

  await finalise(api, api.tx.multisig.asMulti(2, others(alice.address), null, call, weight), alice);
  assert.equal(await free(charlie.address), before, "one signature is not enough");
  const open = (await api.query.multisig.multisigs(multi, call.method.hash)).unwrap();
  const second = await finalise(
    api,
    api.tx.multisig.asMulti(2, others(bob.address), open.when, call, weight),
    bob,
  );
  assert.equal(eventsOf(second.events, "multisig", "MultisigExecuted").length, 1);
  assert.equal(await free(charlie.address), before + 7n * PHA);
});

test("a mortal transaction counts within its era and not after it", async () => {
  const tx = () => api.tx.system.remarkWithEvent("0x02");
  const { block } = await api.rpc.chain.getBlock();
  // Not `era: 8`: polkadot.js would count that from another block, whichever is final by then.
  const current = block.header.number.toNumber();
  const mortal = api.createType("ExtrinsicEra", { current, period: 8 });
  const signed = await tx().signAsync(alice, { nonce: -1, era: mortal, blockHash: block.header.hash });
  assert.ok(signed.era.isMortalEra);
  const death = signed.era.asMortalEra.death(current);
  await until(`block ${death}`, 180, async () => (await finalisedNumber(api)) >= death);
  // The era now names another birth block, whose hash the signature does not cover.
  await assert.rejects(api.rpc.author.submitExtrinsic(signed), /bad signature|ancient birth block/i);
  const fresh = await finalise(api, tx(), alice);
  assert.equal(eventsOf(fresh.events, "system", "Remarked").length, 1);
  const { extrinsics } = (await api.rpc.chain.getBlock(fresh.block)).block;
  const { era } = extrinsics[fresh.events[0].phase.asApplyExtrinsic.toNumber()];
  // Polkadot.js gives one to whatever does not ask for another.
  assert.equal(era.asMortalEra.period.toNumber(), 64);
});

test("what is wrong with a transaction is said", async (t) => {
  const remark = () => api.tx.system.remarkWithEvent("0x03");
  await t.test("a nonce that was used", async () => {
    const used = await remark().signAsync(alice, { nonce: 0 });
    await assert.rejects(api.rpc.author.submitExtrinsic(used), /outdated/i);
  });
  await t.test("an account without money", async () => {
    const pauper = wellKnown("nobody-has-ever-paid-me");
    const signed = await remark().signAsync(pauper, { nonce: -1 });
    await assert.rejects(api.rpc.author.submitExtrinsic(signed), /inability to pay/i);
  });
  await t.test("a signature of somebody else", async () => {
    const signed = await remark().signAsync(alice, { nonce: -1 });
    signed.signature.set(new Uint8Array(64).fill(1));
    await assert.rejects(api.rpc.author.submitExtrinsic(signed.toHex()), /bad signature/i);
  });
  await t.test("a transfer above the balance", async () => {
    const tx = api.tx.balances.transferKeepAlive(charlie.address, 900_000_000n * PHA);
    const { events } = await finalise(api, tx, bob);
    const [failed] = eventsOf(events, "system", "ExtrinsicFailed");
    assert.match(failed.data.toString(), /FundsUnavailable/);
  });
});

test("nobody but sudo acts as Root", async () => {
  const mint = api.tx.balances.forceSetBalance(bob.address, 999_999_999n * PHA);
  const before = await free(bob.address);
  const direct = await finalise(api, mint, bob);
  assert.match(eventsOf(direct.events, "system", "ExtrinsicFailed").toString(), /badOrigin/);
  const sudo = await finalise(api, api.tx.sudo.sudo(mint), bob);
  assert.equal(eventsOf(sudo.events, "system", "ExtrinsicFailed").length, 1);
  assert.ok((await free(bob.address)) < before);
});
