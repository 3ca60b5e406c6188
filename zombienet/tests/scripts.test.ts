// Which programs of the relay chain the scripts use.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const WORKERS = ["polkadot-prepare-worker", "polkadot-execute-worker"];

let directory: string;
before(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "phala-scripts-")));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/// A folder with a `polkadot` that says what version it is, and nothing more.
function polkadot(version: string, workers = WORKERS): string {
  const folder = mkdtempSync(join(directory, "polkadot-"));
  for (const name of ["polkadot", ...workers])
    writeFileSync(join(folder, name), `#!/bin/sh\necho "polkadot ${version}-0123456789a"\n`, { mode: 0o755 });
  return folder;
}

/// What `relay_dir` prints and complains about where `POLKADOT_BIN_DIR` and `PATH` have these.
function chosen(named: string, path: string) {
  // After `scripts/env`, which may put another folder first.
  const command = "source scripts/env && PATH=$0:$PATH && relay_dir";
  const { stdout, stderr } = spawnSync("bash", ["-c", command, path], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    encoding: "utf8",
    env: {
      ...process.env,
      POLKADOT_BIN_DIR: named,
      CARGO_TARGET_DIR: join(directory, "nothing"),
    },
  });
  return { folder: stdout.trim(), complaints: stderr };
}

const old = () => polkadot("1.25.0");

test("a folder that is named comes before PATH", () => {
  const [named, path] = [polkadot("1.25.1"), polkadot("1.26.0")];
  assert.deepEqual(chosen(named, path), { folder: named, complaints: "" });
  assert.deepEqual(chosen("", path), { folder: path, complaints: "" });
});

test("a named folder without the program is said to have none", () => {
  const path = polkadot("1.26.0");
  const { folder, complaints } = chosen(join(directory, "mistyped"), path);
  assert.equal(folder, path);
  assert.match(complaints, /POLKADOT_BIN_DIR: there is no program polkadot in .*mistyped: not used/);
});

test("an older version is passed over, and said to be", () => {
  const [named, path] = [old(), polkadot("1.100.0")];
  const { folder, complaints } = chosen(named, path);
  assert.equal(folder, path);
  assert.match(complaints, /polkadot 1\.25\.0 in .* is older than 1\.25\.1: not used/);
  assert.equal(chosen(named, old()).folder, "");
});

test("what lacks its workers or does not run is passed over", (t) => {
  const broken = polkadot("1.26.0");
  writeFileSync(join(broken, "polkadot"), "#!/bin/sh\nexit 1\n");
  const { folder, complaints } = chosen(broken, old());
  assert.equal(folder, "");
  assert.match(complaints, /polkadot does not run: not used/);
  if (existsSync("/usr/lib/polkadot/polkadot-prepare-worker"))
    return t.diagnostic("Debian's package has brought workers");
  const alone = chosen(polkadot("1.26.0", WORKERS.slice(1)), old());
  assert.equal(alone.folder, "");
  assert.match(alone.complaints, /without polkadot-prepare-worker and polkadot-execute-worker: not used/);
});
