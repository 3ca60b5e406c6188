// How many of a running network's slots have a block: `node --import tsx src/slots.ts [PORT]`.
//
// Counts from block 1 to the last final block: forks and blocks that still may vanish do not count.

import type { ApiPromise } from "@polkadot/api";
import { RPC_PORTS } from "./network.ts";
import { bestNumber, connect, finalisedNumber } from "./client.ts";

/// The Aura slot of block `number`: a u64, little-endian, in its pre-runtime digest.
async function slotOf(api: ApiPromise, number: number): Promise<number> {
  const header = await api.rpc.chain.getHeader(await api.rpc.chain.getBlockHash(number));
  const [, slot] = header.digest.logs.find((log) => log.isPreRuntime)!.asPreRuntime;
  return Number(Buffer.from(slot.toU8a(true)).readBigUInt64LE());
}

const api = await connect(Number(process.argv[2] ?? RPC_PORTS.alice));
const [best, final] = [await bestNumber(api), await finalisedNumber(api)];
const slots = (await slotOf(api, final)) - (await slotOf(api, 1)) + 1;
const missed = (100 * (slots - final)) / slots;
console.log(`${final} blocks in ${slots} slots: ${missed.toFixed(1)} % missed; finality ${best - final} behind`);
await api.disconnect();
