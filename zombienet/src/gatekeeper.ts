// The program `phala-gatekeeper`, and what the chain knows of gatekeepers.

import type { ApiPromise } from "@polkadot/api";
import type { KeyringPair } from "@polkadot/keyring/types";
import { rpc, succeed } from "./client.ts";
import { type At, view } from "./market.ts";
import { Program } from "./program.ts";

/// What `phala-gatekeeper status --json` says.
export interface Report {
  block: number;
  age: number;
  attested: boolean;
  epoch: number | null;
  keys: {
    epoch: number;
    ceremony: number;
    holders: number;
    seat: number | null;
    has_share: boolean;
    sealed: boolean;
  }[];
  ceremony: null | {
    number: number;
    purpose: string;
    phase: number;
    name: string;
    remaining: number | null;
    deals: number | null;
    receives: number | null;
    owed: string[];
    failed: boolean;
  };
  waiting: number;
}

/// It knows flags such as "--witness-url", and "--deal-bad-shares" where it was built with the feature
/// `fault-injection`.
export class Gatekeeper extends Program {
  constructor(rpcPort: number, secret: string, platform: number, ...flags: string[]) {
    // A chain whose blocks come faster than every six seconds has a clock of its own.
    super("gatekeeper", rpcPort, secret, platform, "--max-head-age", "100000000", ...flags);
  }

  /// Its key, once it is registered.
  async registered(api: ApiPromise, seconds: number): Promise<string> {
    return this.keyOnce("the gatekeeper is registered", seconds, async () => {
      const key = this.key();
      return key !== undefined && !(await api.query.workerRegistry.workers(key)).isEmpty;
    });
  }

  async status(): Promise<Report> {
    const { code, output } = await this.command("status", "--json");
    if (code !== 0) throw new Error(output);
    return JSON.parse(output) as Report;
  }
}

/// The flags with which gatekeepers follow the relay chain, beginning at what is final now.
export async function following(relayPort: number): Promise<string[]> {
  const checkpoint = String(await rpc(relayPort, "chain_getFinalizedHead", []));
  return ["--relay-url", `ws://127.0.0.1:${relayPort}`, "--relay-checkpoint", checkpoint];
}

export interface Seat {
  account: string;
  worker: string;
}

/// A master key in use.
export interface LiveKey {
  epoch: bigint;
  /// Of the ceremony that made its shares.
  number: bigint;
  publicKey: string;
}

export const keys = {
  /// Those who hold the current key, in the order of seats; nobody before the first.
  office: (at: At) => view<Seat[]>(at, "GatekeeperKeys", "office"),
  /// The current key.
  live: async (at: At): Promise<LiveKey | undefined> => {
    const [current] = await view<[bigint, { number: bigint }][]>(at, "GatekeeperKeys", "live_keys");
    if (!current) return undefined;
    const [epoch, { number }] = current;
    const found = await view<{ publicKey: string } | null>(at, "GatekeeperKeys", "epoch_key", epoch);
    return found ? { epoch, number, publicKey: found.publicKey } : undefined;
  },
};

/// Lets a stash, which is the operator of `gatekeeper`, stand for election with a bond in planck.
export async function stand(
  api: ApiPromise,
  stash: KeyringPair,
  gatekeeper: string,
  bonded: bigint,
): Promise<void> {
  const { bond, validate } = api.tx.staking;
  const { bind } = api.tx.gatekeeperElection;
  const calls = [
    bond(bonded, "Staked"),
    validate({ commission: 0, blocked: false }),
    bind(gatekeeper),
  ];
  await succeed(api, api.tx.utility.batchAll(calls), stash);
}
