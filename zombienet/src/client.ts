// A polkadot.js client of our chain, and the two things every test does with one: send a transaction
// until it is final, and wait for something to become true.

import "@polkadot/api-augment";
import { createServer } from "node:net";
import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import type { SubmittableExtrinsic } from "@polkadot/api/types";
import type { KeyringPair } from "@polkadot/keyring/types";
import type { Null, Result } from "@polkadot/types";
import type { Call, DispatchError } from "@polkadot/types/interfaces";
import type { FrameSystemEventRecord } from "@polkadot/types/lookup";

/// Transaction extensions that polkadot.js does not know. Neither adds anything to a transaction.
export const signedExtensions = {
  AuthorizeCall: { extrinsic: {}, payload: {} },
  StorageWeightReclaim: { extrinsic: {}, payload: {} },
};

export const PHA = 1_000_000_000_000n;

/// The chain's id on its relay chain, in the presets.
export const PARA_ID = 2035;

export async function connect(port: number): Promise<ApiPromise> {
  // The client itself would try for ever.
  await until(`a node answers at port ${port}`, 120, () => rpc(port, "system_version", []));
  const provider = new WsProvider(`ws://127.0.0.1:${port}`, 1_000);
  return ApiPromise.create({ provider, signedExtensions, noInitWarn: true });
}

/// The pair of a well-known name, such as "Alice", on a development or local network.
export function wellKnown(name: string): KeyringPair {
  return new Keyring({ type: "sr25519", ss58Format: 30 }).addFromUri(`//${name}`);
}

export const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/// Asks `question` once a second until it answers with something true.
export async function until<T>(
  what: string,
  seconds: number,
  question: () => Promise<T | false | undefined>,
): Promise<T> {
  const deadline = Date.now() + seconds * 1_000;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await question();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(1_000);
  }
  throw new Error(`after ${seconds} s still not: ${what}${last ? ` (${last})` : ""}`);
}

export async function finalisedNumber(api: ApiPromise): Promise<number> {
  const hash = await api.rpc.chain.getFinalizedHead();
  return (await api.rpc.chain.getHeader(hash)).number.toNumber();
}

export async function bestNumber(api: ApiPromise): Promise<number> {
  return (await api.rpc.chain.getHeader()).number.toNumber();
}

/// Calls a method that polkadot.js does not know.
export async function rpc(port: number, method: string, params: unknown[]) {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: 1, jsonrpc: "2.0", method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error([method, error.message, error.data].filter(Boolean).join(": "));
  return result;
}

/// Fails if a program listens at this port: a node would take another one in silence, and what answers here
/// would be taken for that node.
export async function claimPort(port: number): Promise<void> {
  const server = createServer();
  const taken = await new Promise<Error | undefined>((resolve) => {
    server.once("error", resolve);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  if (taken) throw new Error(`port ${port} is another program's: stop that first (${taken.message})`);
  await new Promise((resolve) => server.close(resolve));
}

/// The Aura slot of block `number`: a u64, little-endian, in its pre-runtime digest. Asks for the bare
/// header, since polkadot.js would decode it with the state of its block, which may be pruned.
export async function slotOf(port: number, number: number): Promise<number> {
  const hash = await rpc(port, "chain_getBlockHash", [number]);
  const { digest } = await rpc(port, "chain_getHeader", [hash]);
  const preRuntime = digest.logs.find((log: string) => log.startsWith("0x0661757261"));
  return Number(Buffer.from(preRuntime.slice(2), "hex").readBigUInt64LE(6));
}

export interface Finalised {
  block: string;
  number: number;
  events: FrameSystemEventRecord[];
}

/// Sends `tx` and waits until it is in a finalised block, whose events of this transaction it returns.
///
/// It looks at finalised blocks instead of trusting a subscription: on a network with forks a watch
/// can end although the transaction is sound. A transaction that a fork threw out is sent again.
export async function finalise(
  api: ApiPromise,
  tx: SubmittableExtrinsic<"promise">,
  signer: KeyringPair,
  seconds = 180,
): Promise<Finalised> {
  // A copy, as signing changes what is signed, and several may send the same call at a time.
  const signed = await api.tx(tx.method as Call).signAsync(signer, { nonce: -1 });
  const hash = signed.hash.toHex();
  let seen = await finalisedNumber(api);
  await api.rpc.author.submitExtrinsic(signed);
  let sent = Date.now();
  return until(`${tx.method.section}.${tx.method.method} in a finalised block`, seconds, async () => {
    const finalised = await finalisedNumber(api);
    while (seen < finalised) {
      const number = seen + 1;
      const block = await api.rpc.chain.getBlockHash(number);
      const { extrinsics } = (await api.rpc.chain.getBlock(block)).block;
      const index = extrinsics.findIndex((extrinsic) => extrinsic.hash.toHex() === hash);
      if (index >= 0) {
        const records = await (await api.at(block)).query.system.events();
        const events = records.filter(
          ({ phase }) => phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index,
        );
        return { block: block.toHex(), number, events };
      }
      seen = number;
    }
    if (Date.now() - sent > 30_000) {
      // Refused where it is already known; that is as good. Raw, because the client would print the refusal.
      await api.rpc("author_submitExtrinsic", signed.toHex()).catch(() => undefined);
      sent = Date.now();
    }
    return false;
  });
}

/// Sends `tx` and expects it to succeed. If it does not, says why in the runtime's words.
export async function succeed(
  api: ApiPromise,
  tx: SubmittableExtrinsic<"promise">,
  signer: KeyringPair,
): Promise<Finalised> {
  const done = await finalise(api, tx, signer);
  const [failed] = eventsOf(done.events, "system", "ExtrinsicFailed");
  if (failed) {
    const { section, method } = tx.method;
    throw new Error(`${section}.${method}: ${explain(api, failed.data[0] as DispatchError)}`);
  }
  return done;
}

/// Makes `call` as Root, and expects it to succeed: sudo itself does so whatever becomes of the call.
export async function asRoot(api: ApiPromise, call: SubmittableExtrinsic<"promise">): Promise<Finalised> {
  const done = await succeed(api, api.tx.sudo.sudo(call), wellKnown("Alice"));
  const [{ data }] = eventsOf(done.events, "sudo", "Sudid");
  const [result] = data as unknown as [Result<Null, DispatchError>];
  if (result.isErr) {
    const { section, method } = call.method;
    throw new Error(`${section}.${method} as Root: ${explain(api, result.asErr)}`);
  }
  return done;
}

/// The name of an error: `pallet.Name` of a pallet's, as text of any other.
export function explain(api: ApiPromise, error: DispatchError): string {
  if (!error.isModule) return error.toString();
  const { section, name } = api.registry.findMetaError(error.asModule);
  return `${section}.${name}`;
}

/// The events named `section.method` among `events`.
export function eventsOf(events: FrameSystemEventRecord[], section: string, method: string) {
  return events
    .map(({ event }) => event)
    .filter((event) => event.section === section && event.method === method);
}
