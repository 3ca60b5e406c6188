// What `phala-node` says to an operator who got something wrong.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { end, hasEnded, owned } from "../src/children.ts";
import { until } from "../src/client.ts";

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), "phala-node-"));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/// Runs the node until it ends by itself, and returns its exit code and all that it printed.
function node(...args: string[]) {
  const { status, stdout, stderr } = spawnSync("phala-node", args, {
    encoding: "utf8",
    timeout: 600_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, stdout, text: stdout + stderr };
}

function fails(args: string[], ...patterns: RegExp[]) {
  const { status, text } = node(...args);
  assert.ok(status !== 0 && status !== null, `it ends with an error:\n${text}`);
  for (const pattern of patterns) assert.match(text, pattern);
}

const basePath = (name: string) => ["--base-path", join(directory, name)];

test("an unknown chain lists the known ones", () => {
  fails(["--chain", "phalla"], /`phalla` is neither/, /--chain dev/, /--chain local/, /--chain live/);
});

test("no chain at all lists the known ones", () => {
  fails([], /no chain was named/, /--chain dev/);
});

test("it has the subcommands that the docs name", () => {
  const file = join(directory, "node-key");
  const made = node("key", "generate-node-key", "--chain", "dev", "--file", file);
  assert.equal(made.status, 0, made.text);
  assert.match(readFileSync(file, "utf8"), /^[0-9a-f]{64}$/);
  assert.match(node("key", "inspect", "//Alice").text, /5GrwvaEF|0xd43593c715fdd31c/);
  for (const words of [
    ["benchmark", "block"],
    ["benchmark", "machine"],
    ["chain-spec-builder"],
    ["check-block"],
    ["export-blocks"],
    ["import-blocks"],
    ["revert"],
    ["export-genesis-head"],
    ["export-genesis-wasm"],
  ]) {
    const { status, text } = node(...words, "--help");
    assert.equal(status, 0, text);
  }
  fails(["benchmark", "pallet", "--chain", "dev", "--list"], /What to do: .*scripts\/bench/);
});

test("a collator without a key of its own is told how to make one", () => {
  fails(["--chain", "local", "--collator", "--port", "0", ...basePath("no-key")], /What to do: .*--chain …/);
});

test("a collator without a relay chain's specification is told to name one", () => {
  fails(
    [
      ...["--chain", "local", "--alice", "--collator", "--unsafe-force-node-key-generation", "--port", "0"],
      ...basePath("no-relay"),
    ],
    /-- --chain relay-chain\.json/,
  );
});

test("a port in use is named as such", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    for (const flag of ["--rpc-port", "--port", "--prometheus-port"]) {
      const named = new RegExp(`${flag} ${port}.*another program.*uses the port`, "s");
      fails(["--dev", flag, String(port), ...basePath("port")], named);
    }
  } finally {
    server.close();
  }
});

test("data of another chain is refused, until the remedy was followed", async () => {
  const at = ["--dev-block-time", "1000", "--rpc-port", "9962", "--port", "0", "--no-prometheus"];
  const data = join(directory, "genesis/chains/phala-dev");
  const hasData = () => ["db", "paritydb"].some((kind) => existsSync(join(data, kind, "full")));
  /// Runs a node until it has data.
  const runs = async (chain: string) => {
    const log = join(directory, "own.log");
    const out = openSync(log, "w");
    const args = ["--chain", chain, ...at, ...basePath("genesis")];
    const own = owned(spawn("phala-node", args, { stdio: ["ignore", out, out] }));
    closeSync(out);
    try {
      await until("the node has data", 600, async () => hasData() || hasEnded(own));
      assert.ok(hasData() && existsSync(join(data, "genesis")), readFileSync(log, "utf8"));
    } finally {
      await end(own, "SIGKILL");
    }
  };
  await runs("dev");

  const spec = JSON.parse(node("export-chain-spec", "--chain", "dev").stdout);
  spec.genesis.runtimeGenesis.patch.collatorSelection.desiredCandidates = 3;
  // One that purge-chain knows.
  spec.relay_chain = "westend";
  const other = join(directory, "other.json");
  writeFileSync(other, JSON.stringify(spec));
  fails(
    ["--chain", other, ...at, ...basePath("genesis")],
    /is of another chain/,
    /purge-chain/,
  );
  const purge = (chain: string) => ["purge-chain", "-y", "--chain", chain, ...basePath("genesis")];
  fails(purge("dev"), /purge-chain takes neither/);
  assert.ok(hasData(), "that has removed nothing");
  const { status, text } = node(...purge(other));
  assert.equal(status, 0, text);
  assert.ok(!hasData(), text);
  await runs(other);
});

test("the live template names what it lacks, and refuses a well-known key", () => {
  fails(["export-chain-spec", "--chain", "live", "--raw"], /0 plancks can vote/);
  const template = join(directory, "live.json");
  assert.equal(node("export-chain-spec", "--chain", "live", "--output", template).status, 0);
  const spec = JSON.parse(readFileSync(template, "utf8"));
  const patch = spec.genesis.runtimeGenesis.patch;
  const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
  const million = 1e18;
  // The treasury's 299,999,999.99 PHA less ten million; as a number it is printed exactly.
  patch.balances.balances[2][1] = 289_999_999_990_000_000_000;
  patch.balances.balances.push([alice, 10 * million]);
  writeFileSync(template, JSON.stringify(spec));
  fails(["export-chain-spec", "--chain", template, "--raw"], /genesis has no collator/);
  patch.collatorSelection.invulnerables = [alice];
  patch.session.keys = [[alice, alice, { aura: alice }]];
  writeFileSync(template, JSON.stringify(spec));
  fails(["export-chain-spec", "--chain", template, "--raw"], /well-known development key/);
});

test("chain specifications of development chains are complete", () => {
  for (const chain of ["dev", "local"]) {
    const { status, stdout } = node("export-chain-spec", "--chain", chain, "--raw");
    assert.equal(status, 0);
    const spec = JSON.parse(stdout);
    assert.ok(spec.genesis.raw.top["0x3a636f6465"], ":code is there");
    assert.equal(spec.properties.tokenSymbol, "PHA");
  }
});
