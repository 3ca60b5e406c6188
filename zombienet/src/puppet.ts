// A worker without a program: its keys are here, its quote comes from the development PKI, and what it
// claims to have computed is made up. It costs no processor time, so that tests of the market can have
// several on a chain that runs faster than real time.

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { type ApiPromise, Keyring } from "@polkadot/api";
import type { KeyringPair } from "@polkadot/keyring/types";
import { compactAddLength, hexToU8a, stringToU8a, u8aConcat, u8aToHex } from "@polkadot/util";
import { PARA_ID, finalisedNumber, rpc, sleep, succeed } from "./client.ts";
import type { Happening, Journal } from "./market.ts";

export interface BlockRef {
  number: number;
  hash: string;
}

/// What a quote is bound to; the runtime computes the same.
export interface Claim {
  worker: string;
  encryptionKey: string;
  block: BlockRef;
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export function reportData(genesis: string, operator: KeyringPair, claim: Claim): Buffer {
  const hash = createHash("sha512").update("phala/worker-attestation/v1");
  for (const part of [
    hexToU8a(genesis),
    u32(PARA_ID),
    new Uint8Array([0]),
    operator.publicKey,
    hexToU8a(claim.worker),
    hexToU8a(claim.encryptionKey),
    u32(claim.block.number),
    hexToU8a(claim.block.hash),
  ])
    hash.update(part);
  return hash.digest();
}

async function devPki(...command: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("phala-dev-pki", command, { maxBuffer: 1 << 24 });
  return stdout;
}

/// A quote of the program `phala-worker` on a machine with this number.
export async function quote(data: Buffer, platform: number): Promise<string> {
  const bytes = await devPki(
    ...["quote", "--kind", "tdx-v4", "--program", "phala-worker"],
    ...["--platform", String(platform), "--report-data", data.toString("hex")],
  );
  return `0x${bytes.trim()}`;
}

/// Brings the collateral of all simulated machines to a chain that has none, in one transaction.
export async function bringCollateral(api: ApiPromise, signer: KeyringPair): Promise<void> {
  const now = Math.floor((await api.query.timestamp.now()).toNumber() / 1_000);
  const issued = await devPki("collateral", "--tee", "tdx", "--now", String(now));
  const collateral = JSON.parse(issued) as Record<string, string>;
  const hex = (name: string) => `0x${collateral[name]}`;
  const text = (name: string) => u8aToHex(stringToU8a(collateral[name]));
  // The first certificate of a chain, in DER.
  const first = (name: string) => {
    const [, body] = collateral[name].split("-----BEGIN CERTIFICATE-----");
    return u8aToHex(Buffer.from(body.split("-----END")[0], "base64"));
  };
  const { submitCrl, submitPckCa, submitQeIdentity, submitTcbInfo } = api.tx.workerRegistry;
  const signed = (name: string) => ({ body: text(name), signature: hex(`${name}_signature`) });
  const calls = [
    submitCrl("Root", hex("root_ca_crl")),
    submitPckCa(first("pck_crl_issuer_chain")),
    submitCrl({ PckCa: "Platform" }, hex("pck_crl")),
    submitTcbInfo(signed("tcb_info"), first("tcb_info_issuer_chain")),
    submitQeIdentity(signed("qe_identity"), first("qe_identity_issuer_chain")),
  ];
  await succeed(api, api.tx.utility.batchAll(calls), signer);
}

/// A heartbeat's statement, with everything that can be wrong about it.
export interface Heartbeat {
  worker: string;
  session: bigint;
  challenge: BlockRef;
  iterations: bigint;
}

/// Challenges as they are told: worker and session.
type Challenged = { workers: [string, bigint][] };

export class Puppet {
  private readonly pair: KeyringPair;
  /// Its identity key.
  readonly key: string;
  /// It lets challenges pass.
  silent = false;
  /// The heartbeat that it sent last.
  last?: Heartbeat;

  private constructor(
    private readonly api: ApiPromise,
    private readonly port: number,
    readonly operator: KeyringPair,
  ) {
    this.pair = new Keyring({ type: "sr25519" }).addFromSeed(randomBytes(32));
    this.key = u8aToHex(this.pair.publicKey);
  }

  /// Registers a worker with this score on the machine with this number. `port`: of the node.
  static async register(
    api: ApiPromise,
    port: number,
    operator: KeyringPair,
    platform: number,
    score: number,
  ): Promise<Puppet> {
    const puppet = new Puppet(api, port, operator);
    const head = async () => {
      const number = await finalisedNumber(api);
      return { number, hash: (await api.rpc.chain.getBlockHash(number)).toHex() };
    };
    const encryptionKey = u8aToHex(randomBytes(32));
    const claim = { worker: puppet.key, encryptionKey, block: await head() };
    const made = await quote(reportData(api.genesisHash.toHex(), operator, claim), platform);
    await succeed(api, api.tx.workerRegistry.register(made, { role: "Worker", ...claim }), operator);

    // A run of a minute: of 10 score periods.
    const elapsedMs = 60_000;
    const run = { worker: puppet.key, startedAt: await head(), iterations: score * 10, elapsedMs };
    const report = (signature: Uint8Array) => api.tx.workerRegistry.reportScore(run, signature);
    const statement = report(new Uint8Array(64)).method.args[0].toU8a();
    const signature = puppet.sign("phala/worker/benchmark/1", statement);
    await succeed(api, report(signature), operator);
    return puppet;
  }

  /// Signs a statement as `domain` for the chain with this genesis.
  private sign(domain: string, statement: Uint8Array, genesis?: string): Uint8Array {
    const message = u8aConcat(
      compactAddLength(stringToU8a(domain)),
      hexToU8a(genesis ?? this.api.genesisHash.toHex()),
      u32(PARA_ID),
      statement,
    );
    return this.pair.sign(message);
  }

  /// A heartbeat as bytes of a general transaction: one without account, signature and fee, which
  /// polkadot.js reads but does not make. `by` signs it.
  heartbeat(beat: Heartbeat, { by, genesis }: { by?: Puppet; genesis?: string } = {}): string {
    const make = (signature: Uint8Array) =>
      this.api.tx.mining.heartbeat({ ...beat }, signature).method;
    const statement = make(new Uint8Array(64)).args[0].toU8a();
    const call = make((by ?? this).sign("phala/worker/heartbeat/1", statement, genesis)).toU8a();
    // Preamble "general, version 5"; version 0 of the extensions; of these era, number, tip and the
    // mode of the metadata's hash are there, all zero.
    return u8aToHex(compactAddLength(u8aConcat([0x45, 0, 0, 0, 0, 0], call)));
  }

  /// Hands a heartbeat to the node. Fails with what the transaction pool says. Not through polkadot.js,
  /// which would decode it and encode it wrongly.
  async submit(bytes: string): Promise<void> {
    await rpc(this.port, "author_submitExtrinsic", [bytes]);
  }

  /// Sends the answer, again and again while the pool has not seen the block of the challenge yet. With a new
  /// signature each time, as the pool bans what is early.
  private async insist(answer: Heartbeat): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.submit(this.heartbeat(answer));
      } catch (error) {
        if (attempt === 50 || !String(error).includes("valid in the future")) throw error;
        await sleep(300);
      }
    }
  }

  /// What an honest answer would be. The iterations are beyond what the chain believes, so that it
  /// takes the most that it does: 1.2 times the score, whenever the answer arrives.
  answer({ block, hash }: Happening<unknown>, session: bigint): Heartbeat {
    const challenge = { number: block, hash };
    return { worker: this.key, session, challenge, iterations: 10n ** 12n };
  }

  /// Answers from now on whatever the journal tells that it is asked, unless it is silent.
  follow(journal: Journal): void {
    journal.follow(async (news) => {
      for (const one of news) {
        if (one.section !== "mining" || one.method !== "Challenged" || this.silent) continue;
        const { workers } = one.data as Challenged;
        const own = workers.find(([worker]) => worker === this.key);
        if (!own) continue;
        this.last = this.answer(one, own[1]);
        await this.insist(this.last);
      }
    });
  }

  /// The next challenge that it is told in the journal after `since`.
  async challenged(journal: Journal, since: number): Promise<[Happening<Challenged>, bigint]> {
    const of = ({ workers }: Challenged) => workers.find(([worker]) => worker === this.key);
    const told = await journal.first<Challenged>("mining", "Challenged", (data) => !!of(data), {
      since,
    });
    return [told, of(told.data)![1]];
  }
}
