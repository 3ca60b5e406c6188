// From an idea to an enacted change, as a holder goes about it with polkadot.js, against a single node.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { ApiPromise } from "@polkadot/api";
import type { SubmittableExtrinsic } from "@polkadot/api/types";
import type { KeyringPair } from "@polkadot/keyring/types";
import type { Null, Result } from "@polkadot/types";
import type { DispatchError } from "@polkadot/types/interfaces";
import { u8aToHex } from "@polkadot/util";
import { blake2AsHex } from "@polkadot/util-crypto";
import {
  PHA,
  asRoot,
  connect,
  eventsOf,
  explain,
  finalise,
  finalisedNumber,
  succeed as send,
  until,
  wellKnown,
} from "../src/client.ts";
import { DevNode } from "../src/dev-node.ts";

type Call = SubmittableExtrinsic<"promise">;
type Instance = "referenda" | "fellowshipReferenda";

const holders = ["Alice", "Bob", "Charlie"].map(wellKnown);
const [alice, bob, charlie] = holders;

let node: DevNode;
let api: ApiPromise;

before(async () => {
  node = await DevNode.start(9961);
  api = await connect(node.port);
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
});

const succeed = (tx: Call, signer: KeyringPair) => send(api, tx, signer);

/// Notes the preimage of `call`, submits a referendum for it with `origin`, and pays both deposits.
async function propose(instance: Instance, origin: object, call: Call): Promise<number> {
  const bytes = call.method.toHex();
  const hash = blake2AsHex(bytes);
  const length = call.method.toU8a().length;
  await succeed(api.tx.preimage.notePreimage(bytes), alice);
  const index = (await api.query[instance].referendumCount()).toString();
  const proposal = { Lookup: { hash, len: length } };
  await succeed(api.tx[instance].submit(origin as never, proposal, { After: 0 }), alice);
  await succeed(api.tx[instance].placeDecisionDeposit(index), bob);
  return Number(index);
}

async function vote(index: number, voter: KeyringPair, conviction: string, balance: bigint) {
  const ballot = { Standard: { vote: { aye: true, conviction }, balance } };
  return succeed(api.tx.convictionVoting.vote(index, ballot), voter);
}

async function info(instance: Instance, index: number): Promise<Record<string, never>> {
  return (await api.query[instance].referendumInfoFor(index)).toJSON() as Record<string, never>;
}

async function approved(instance: Instance, index: number, seconds: number) {
  await until(`${instance} ${index} is approved`, seconds, async () =>
    "approved" in (await info(instance, index)));
}

test("a referendum on the tokenomics track changes what transactions cost", async () => {
  const key = { Fees: { Base: null } };
  const price = 1_250_000_000n;
  const remark = api.tx.system.remark("0x00");
  const before = (await remark.paymentInfo(alice)).partialFee.toBigInt();
  const change = api.tx.dao.setParameter({ Fees: { Base: [null, price] } });
  const index = await propose("referenda", { Dao: "TokenomicsAdmin" }, change);
  await vote(index, alice, "Locked1x", 9_000_000n * PHA);
  await vote(index, bob, "Locked3x", 9_000_000n * PHA);
  await vote(index, charlie, "None", 9_000_000n * PHA);
  const { ongoing } = (await info("referenda", index)) as unknown as {
    ongoing: { track: number; tally: { ayes: string | number; support: string | number } };
  };
  assert.equal(ongoing.track, 13);
  assert.equal(BigInt(ongoing.tally.support), 27_000_000n * PHA);
  assert.equal(BigInt(ongoing.tally.ayes), 36_900_000n * PHA);

  await approved("referenda", index, 400);
  const stored = await until("the parameter is in storage", 120, async () => {
    const value = await api.query.parameters.parameters(key);
    return !value.isEmpty && value;
  });
  assert.match(JSON.stringify(stored.toJSON()), /1250000000/);
  const now = (await remark.paymentInfo(alice)).partialFee.toBigInt();
  assert.ok(now > before, `${now} after ${before}`);
  await succeed(api.tx.referenda.refundDecisionDeposit(index), bob);
  await succeed(api.tx.referenda.refundSubmissionDeposit(index), alice);
});

test("a proposal beyond the guard rail says so, and an unknown track is refused", async () => {
  const beyond = api.tx.dao.setParameter({ Fees: { Base: [null, 100_000_000_000n] } });
  const direct = await finalise(api, beyond, alice);
  assert.match(eventsOf(direct.events, "system", "ExtrinsicFailed").toString(), /badOrigin/i);
  // Sudo stands in for a referendum on the track.
  const enacted = api.tx.utility.dispatchAs({ Dao: "TokenomicsAdmin" } as never, beyond);
  const tried = await finalise(api, api.tx.sudo.sudo(enacted), alice);
  const [{ data }] = eventsOf(tried.events, "utility", "DispatchedAs");
  assert.equal(explain(api, (data[0] as Result<Null, DispatchError>).asErr), "dao.Guard");
  const proposal = { Inline: api.tx.system.remark("0x00").method.toHex() };
  const submit = api.tx.referenda.submit({ Dao: "GuardRail" } as never, proposal, { After: 0 });
  const { events } = await finalise(api, submit, alice);
  const [failed] = eventsOf(events, "system", "ExtrinsicFailed");
  assert.equal(explain(api, failed.data[0] as DispatchError), "referenda.NoTrack");
});

test("a runtime upgrade goes through the whitelisted caller and is applied", async () => {
  const file = process.env.PHALA_UPGRADE_WASM;
  assert.ok(file, "PHALA_UPGRADE_WASM names the runtime to upgrade to");
  const code = readFileSync(file);
  const version = async () => (await api.rpc.state.getRuntimeVersion()).specVersion.toNumber();
  const old = await version();
  const seats = holders.flatMap(({ address }) => [
    api.tx.fellowshipCore.induct(address),
    api.tx.fellowshipCore.promoteFast(address, 3),
  ]);
  await asRoot(api, api.tx.utility.batchAll(seats));

  const authorise = api.tx.system.authorizeUpgrade(blake2AsHex(code));
  const hash = blake2AsHex(authorise.method.toU8a());
  const whitelist = api.tx.whitelist.whitelistCall(hash);
  const fellows = await propose("fellowshipReferenda", { Dao: "Fellows" }, whitelist);
  for (const fellow of holders) await succeed(api.tx.fellowshipCollective.vote(fellows, true), fellow);
  await approved("fellowshipReferenda", fellows, 300);
  await until("the call is whitelisted", 120, async () =>
    (await api.query.whitelist.whitelistedCall.keys()).length === 1);

  const dispatch = api.tx.whitelist.dispatchWhitelistedCallWithPreimage(authorise);
  const index = await propose("referenda", { Dao: "WhitelistedCaller" }, dispatch);
  for (const holder of holders) await vote(index, holder, "Locked1x", 9_000_000n * PHA);
  await approved("referenda", index, 400);
  await until("the upgrade is authorised", 120, async () =>
    !(await api.query.system.authorizedUpgrade()).isEmpty);
  // Anybody may bring the code that was voted for.
  await finalise(api, api.tx.system.applyAuthorizedUpgrade(u8aToHex(code)), charlie, 300);
  await until("the new version", 300, async () => (await version()) === old + 1);
  const enacted = await finalisedNumber(api);
  await until("blocks of the new runtime", 120, async () => (await finalisedNumber(api)) > enacted + 3);
});
