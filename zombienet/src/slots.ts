// How many of a running network's slots have a block: `node --import tsx src/slots.ts [PORT]`.
//
// Counts from block 1 to the last final block: forks and blocks that still may vanish do not count.

import { RPC_PORTS } from "./network.ts";
import { bestNumber, connect, finalisedNumber, slotOf } from "./client.ts";

const port = Number(process.argv[2] ?? RPC_PORTS.alice);
const api = await connect(port);
const [best, final] = [await bestNumber(api), await finalisedNumber(api)];
const slots = (await slotOf(port, final)) - (await slotOf(port, 1)) + 1;
const missed = (100 * (slots - final)) / slots;
console.log(`${final} blocks in ${slots} slots: ${missed.toFixed(1)} % missed; finality ${best - final} behind`);
await api.disconnect();
