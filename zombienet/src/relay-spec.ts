// What Zombienet calls for the specification of the relay chain: that of `polkadot export-chain-spec`, except that
// the first session has a core for each parachain.
//
// Its genesis begins session 0 before it knows of any parachain. These would wait for session 1: for two
// minutes in `westend-local`, for an hour in `westend-dev`. So what the runtime notes of every other session
// is noted of this one. Source: `initializer_on_new_session` of `scheduler` and of `session_info` in
// polkadot-runtime-parachains.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { TypeRegistry } from "@polkadot/types";
import { u8aConcat, u8aToHex } from "@polkadot/util";
import { decodeAddress, xxhashAsU8a } from "@polkadot/util-crypto";

interface SessionKeys {
  para_validator: string;
  para_assignment: string;
  authority_discovery: string;
}

/// What is read here of a specification with a genesis in words.
interface Plain {
  session: { keys: [string, string, SessionKeys][] };
  configuration: { config: Record<string, number> & { scheduler_params: { num_cores: number } } };
  paras: { paras: unknown[] };
}

const item = (pallet: string, name: string, ...keys: Uint8Array[]) =>
  u8aToHex(u8aConcat(xxhashAsU8a(pallet, 128), xxhashAsU8a(name, 128), ...keys));

/// Adds to `top`, the genesis state, what follows from `plain` for session 0.
function beginSession(top: Record<string, string>, plain: Plain) {
  const registry = new TypeRegistry();
  // In polkadot.js's own definition of a session it has 16 bits.
  registry.register({ ValidatorIndex: "u32" });
  const encode = (type: string, value: unknown) => registry.createType(type, value).toHex();
  const first = registry.createType("SessionIndex", 0).toU8a();
  const infoKey = item("ParaSessionInfo", "Sessions", first);
  const { session, configuration, paras } = plain;
  const { config } = configuration;
  const info = registry.createType("SessionInfo", top[infoKey]);
  if (info.toHex() !== top[infoKey] || config.scheduler_params.num_cores !== 0)
    throw new Error("this relay chain begins its first session otherwise than 1.25.1, which POLKADOT_BIN_DIR can name");
  const members = info.validators.map((validator) => {
    const is = ([, , { para_validator }]: [string, string, SessionKeys]) =>
      u8aToHex(decodeAddress(para_validator)) === validator.toHex();
    const found = session.keys.find(is);
    if (!found) throw new Error(`the genesis names no session keys of the validator ${validator.toHex()}`);
    return found;
  });
  const keys = members.map(([, , sessionKeys]) => sessionKeys);
  const cores = paras.paras.length;
  const groups: number[][] = Array.from({ length: cores }, () => []);
  keys.forEach((_, validator) => groups[validator % cores].push(validator));
  top[item("ParaSessionInfo", "AccountKeys", first)] = encode("Vec<AccountId>", members.map(([account]) => account));
  top[item("ParaScheduler", "ValidatorGroups")] = encode("Vec<Vec<ValidatorIndex>>", groups);
  top[infoKey] = encode("SessionInfo", {
    activeValidatorIndices: info.activeValidatorIndices,
    randomSeed: info.randomSeed,
    disputePeriod: config.dispute_period,
    validators: info.validators,
    discoveryKeys: keys.map(({ authority_discovery }) => authority_discovery),
    assignmentKeys: keys.map(({ para_assignment }) => para_assignment),
    validatorGroups: groups,
    nCores: cores,
    zerothDelayTrancheWidth: config.zeroth_delay_tranche_width,
    relayVrfModuloSamples: config.relay_vrf_modulo_samples,
    nDelayTranches: config.n_delay_tranches,
    noShowSlots: config.no_show_slots,
    neededApprovals: config.needed_approvals,
  });
}

const args = process.argv.slice(2);
let spec = execFileSync("polkadot", ["export-chain-spec", ...args], {
  encoding: "utf8",
  maxBuffer: 1 << 30,
  stdio: ["ignore", "pipe", "inherit"],
});
if (args.includes("--raw")) {
  const file = args[args.indexOf("--chain") + 1];
  const raw = JSON.parse(spec);
  beginSession(raw.genesis.raw.top, JSON.parse(readFileSync(file, "utf8")).genesis.runtimeGenesis.patch);
  spec = JSON.stringify(raw);
}
process.stdout.write(spec);
