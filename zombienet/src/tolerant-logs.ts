// Zombienet pipes stdout and stderr of a node into one stream. When a node dies, the first of them to end
// closes the stream, and what the other still has to say is an error that nobody handles, which would
// end us and leave the other nodes running. Imported before Zombienet, this drops those last words.

import fs from "node:fs";

const create = fs.createWriteStream;
fs.createWriteStream = (...args: Parameters<typeof create>) =>
  create(...args).on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "ERR_STREAM_WRITE_AFTER_END") throw error;
  });
