// The market as a client sees it: what the pallets' view functions answer, what happens in final
// blocks, and the few things that take more than one call.
//
// Calls are made with `api.tx.stakePools`, `api.tx.mining` and `api.tx.slashing`. Whatever is read
// comes as plain values: each integer is a bigint, also where it is a block number; a fraction
// (Perbill, Perquintill) is its parts; an enum is its variant's name, or an object with that name as
// its only key if the variant has fields.

import type { ApiPromise } from "@polkadot/api";
import type { KeyringPair } from "@polkadot/keyring/types";
import { Enum, Option, Struct, Tuple, Vec } from "@polkadot/types";
import type { StorageData } from "@polkadot/types/interfaces";
import type { Codec, Registry } from "@polkadot/types/types";
import { compactAddLength, u8aConcat, u8aToHex } from "@polkadot/util";
import { eventsOf, finalisedNumber, sleep, succeed, until } from "./client.ts";

export type Plain = null | boolean | bigint | string | Plain[] | { [name: string]: Plain };

/// Parts of a Perbill and of a Perquintill that make one.
export const PERBILL = 1_000_000_000n;
export const PERQUINTILL = 1_000_000_000_000_000_000n;

export function plain(value: Codec): Plain {
  if (value instanceof Option) return value.isSome ? plain(value.unwrap() as Codec) : null;
  if (value instanceof Struct) {
    const fields = [...value.entries()].map(([name, field]) => [name, plain(field as Codec)]);
    return Object.fromEntries(fields) as Plain;
  }
  if (value instanceof Enum)
    return value.isNone ? value.type : { [value.type]: plain(value.inner) };
  if (value instanceof Vec || value instanceof Tuple)
    return [...value].map((one) => plain(one as Codec));
  if ("toBigInt" in value) return (value as { toBigInt(): bigint }).toBigInt();
  if ("isTrue" in value) return (value as unknown as { isTrue: boolean }).isTrue;
  return value.toString();
}

/// A chain at its newest block, or at the one with this hash. Not what `api.at` returns: that takes
/// polkadot.js most of a second, as it builds all of the API anew.
export type At = ApiPromise | { api: ApiPromise; hash: string };

/// What the view function `name` of `pallet` answers. polkadot.js reads their descriptions in the
/// metadata, but has no way to call them.
export async function view<T = Plain>(
  at: At,
  pallet: string,
  name: string,
  ...args: unknown[]
): Promise<T> {
  const { api, hash } = "hash" in at ? at : { api: at, hash: undefined };
  const { pallets } = api.registry.metadata;
  const views = pallets.find((one) => one.name.toString() === pallet)?.viewFunctions;
  const found = views?.find((one) => one.name.toString() === name);
  if (!found) throw new Error(`the runtime has no view function ${pallet}.${name}`);
  if (args.length !== found.inputs.length)
    throw new Error(`${pallet}.${name} takes ${found.inputs.length} arguments`);
  const create = (type: Parameters<Registry["createLookupType"]>[0], value: unknown) =>
    api.registry.createType(api.registry.createLookupType(type), value);
  const encoded = found.inputs.map(({ type }, place) => create(type, args[place]).toU8a());
  const input = u8aConcat(found.id.toU8a(), compactAddLength(u8aConcat(...encoded)));
  const call = "RuntimeViewFunction_execute_view_function";
  // Not `undefined` for the hash: that would be sent as zeros.
  const bytes = await api.rpc.state.call(call, u8aToHex(input), ...(hash ? [hash] : []));
  // Of bytes, or why not: that it is not implemented, not found, or takes other arguments.
  const answer = api.createType("Result<Bytes, u8>", bytes.toU8a(true));
  if (answer.isErr) throw new Error(`${pallet}.${name} was refused: ${answer.asErr}`);
  return plain(create(found.output, answer.asOk.toU8a(true))) as T;
}

export type SessionState =
  | "Computing"
  | "Stopping"
  | { Unresponsive: { since: bigint } }
  | { CoolingDown: { until: bigint } };

/// A worker's session. Amounts in planck.
export interface Session {
  id: bigint;
  info: { keeper: bigint; stake: bigint; state: SessionState; health: bigint };
  bench: bigint;
  v: bigint;
  initialV: bigint;
  performance: bigint;
  topUp: bigint;
  atRisk: bigint;
  part: bigint;
  challengedAt: bigint | null;
}

/// The name of its state.
export const stateOf = ({ info: { state } }: Session): string =>
  typeof state === "string" ? state : Object.keys(state)[0];

/// Where each planck that a share earned went.
export interface Settlement {
  gross: bigint;
  pool: bigint;
  treasury: bigint;
  cap: bigint;
  quality: bigint;
  shortfall: bigint;
  rounding: bigint;
}

/// The event of a worker's answer.
export type Settled = { worker: string; settlement: Settlement; v: bigint };

export interface Economy {
  relay: bigint;
  workers: bigint;
  budget: bigint;
  elapsed: bigint;
  paid: bigint;
  treasury: bigint;
  withheld: bigint;
  outstanding: bigint;
  pot: bigint;
  reserve: bigint;
  outage: boolean;
}

export interface Pool {
  pool: {
    owner: string;
    own: bigint;
    ownSuspected: bigint;
    shares: { total: bigint; value: bigint };
    committed: bigint;
    commission: bigint;
    round: bigint;
    ownerRewards: bigint;
  };
  available: bigint;
  room: bigint;
  closed: boolean;
}

export interface Position {
  shares: bigint;
  worth: bigint;
  joining: bigint;
  queued: bigint;
  held: bigint;
  suspected: bigint;
  rewards: bigint;
}

export interface OffenceId {
  class: string;
  index: bigint;
}

export interface WhySlashed {
  offence: { offender: Plain; due: bigint; stake: bigint; charged: bigint; stage: Plain };
  fraction: bigint;
  suspected: bigint;
  notBefore: bigint | null;
}

export const mining = {
  session: (at: At, worker: string) => view<Session | null>(at, "Mining", "session", worker),
  whyUnpaid: (at: At, worker: string) => view<Plain[]>(at, "Mining", "why_unpaid", worker),
  economy: async (at: At) => {
    const economy = await view<Economy | null>(at, "Mining", "economy");
    if (!economy) throw new Error("mining begins with the first block");
    return economy;
  },
};

/// The relay-chain block up to which the economy has counted time: the parent's, as all deadlines count.
/// Where a session begins it is that of the block before: the SDK counts such a block as full, so no hook
/// runs after its inherents, and the next block counts for both.
export const clockAt = async (at: At) => Number((await mining.economy(at)).relay);

export const pools = {
  pool: async (at: At, id: number) => {
    const pool = await view<Pool | null>(at, "StakePools", "pool", id);
    if (!pool) throw new Error(`there is no pool ${id}`);
    return pool;
  },
  position: (at: At, who: string, id: number) =>
    view<Position | null>(at, "StakePools", "position", who, id),
  withdrawalEta: (at: At, who: string, id: number) =>
    view<bigint | null>(at, "StakePools", "withdrawal_eta", who, id),
};

export const slashing = {
  why: (at: At, id: OffenceId) => view<WhySlashed | null>(at, "Slashing", "why_slashed", id),
  offencesOf: (at: At, who: string) =>
    view<[OffenceId, Plain][]>(at, "Slashing", "offences_of", who, null),
  bond: (at: At) => view<bigint>(at, "Slashing", "bond"),
};

/// Founds a pool of `owner` and returns its number. `commission` is a fraction of one.
export async function createPool(
  api: ApiPromise,
  owner: KeyringPair,
  own: bigint,
  commission: number,
): Promise<number> {
  const parts = Math.round(commission * Number(PERBILL));
  const { events } = await succeed(api, api.tx.stakePools.create(own, parts), owner);
  const [created] = eventsOf(events, "stakePools", "PoolCreated");
  return Number(fields(created).pool);
}

/// Takes `worker` into the pool and lets it mine with `stake`. Its operator is the pool's owner, or has
/// agreed.
export async function putToWork(
  api: ApiPromise,
  owner: KeyringPair,
  pool: number,
  worker: string,
  stake: bigint,
): Promise<void> {
  const { addWorker, start } = api.tx.stakePools;
  await succeed(api, api.tx.utility.batchAll([addWorker(pool, worker), start(worker, stake)]), owner);
}

type Event = ReturnType<typeof eventsOf>[number];

/// The fields of an event by their names, in polkadot.js's spelling (`someName`).
export function fields<T = Record<string, Plain>>(event: Event): T {
  const values = event.data.map((value) => plain(value));
  const names = event.data.names ?? values.map((_, place) => String(place));
  return Object.fromEntries(names.map((name, place) => [name, values[place]])) as T;
}

/// An event in a final block.
export interface Happening<T = Record<string, Plain>> {
  /// Number and hash of the block.
  block: number;
  hash: string;
  section: string;
  method: string;
  data: T;
}

/// What happens in final blocks, from the one after it was opened.
export class Journal {
  readonly entries: Happening[] = [];
  /// What reading failed with, and its followers.
  readonly faults: unknown[] = [];
  private closed = false;
  private reading?: Promise<void>;
  private readonly followers: ((news: Happening[]) => Promise<void>)[] = [];

  private constructor(
    private readonly api: ApiPromise,
    private last: number,
  ) {}

  /// The last block that it has read.
  get height(): number {
    return this.last;
  }

  static async open(api: ApiPromise): Promise<Journal> {
    const journal = new Journal(api, await finalisedNumber(api));
    journal.reading = journal.read();
    return journal;
  }

  /// Lets `follower` see what each block brings, in order.
  follow(follower: (news: Happening[]) => Promise<void>): void {
    this.followers.push(follower);
  }

  private async read(): Promise<void> {
    while (!this.closed) {
      try {
        const end = await finalisedNumber(this.api);
        while (this.last < end && !this.closed) {
          const news = await this.block(this.last + 1);
          this.last += 1;
          this.entries.push(...news);
          const told = this.followers.map((follower) => follower(news));
          for (const one of await Promise.allSettled(told))
            if (one.status === "rejected") this.faults.push(one.reason);
        }
      } catch (error) {
        // The same block is read again.
        if (!this.closed) this.faults.push(error);
        await sleep(1_000);
      }
      await sleep(100);
    }
  }

  private async block(block: number): Promise<Happening[]> {
    const hash = await this.api.rpc.chain.getBlockHash(block);
    const stored = await this.api.rpc.state.getStorage(this.api.query.system.events.key(), hash);
    const records = this.api.createType(
      "Vec<FrameSystemEventRecord>",
      (stored as unknown as Option<StorageData>).unwrap().toU8a(true),
    );
    return records.map(({ event }) => ({
      block,
      hash: hash.toHex(),
      section: event.section,
      method: event.method,
      data: fields(event),
    }));
  }

  /// What has happened so far, of one kind.
  all<T = Record<string, Plain>>(
    section: string,
    method: string,
    which: (data: T) => boolean = () => true,
  ): Happening<T>[] {
    const kind = this.entries.filter((one) => one.section === section && one.method === method);
    return (kind as Happening<T>[]).filter(({ data }) => which(data));
  }

  /// The first of one kind, also if it has happened already. `since`: only in later blocks.
  async first<T = Record<string, Plain>>(
    section: string,
    method: string,
    which: (data: T) => boolean,
    { seconds = 120, since = 0 } = {},
  ): Promise<Happening<T>> {
    return until(`${section}.${method}`, seconds, async () =>
      this.all<T>(section, method, which).find(({ block }) => block > since));
  }

  /// The first block from this one on in which the economy's hook runs; see [`clockAt`].
  servedFrom(block: number): number {
    const begins = this.all("session", "NewSession").some((one) => one.block === block);
    return begins ? block + 1 : block;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.reading;
  }
}

/// Fails unless `found` is `expected`, to within a part of it.
export function close(found: number, expected: number, part: number, what: string): void {
  if (!(Math.abs(found / expected - 1) <= part)) throw new Error(`${what}: ${found}, not ${expected}`);
}
