// Answers for every server, ours and theirs, and keeps what it was sent.
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import { ANSWERS, unpacked } from "../peers/peers.mjs";
import { page } from "./pages.mjs";
import { scripts } from "./scripts.mjs";

// Isolated pages have a finer clock.
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

let sent = []; // bodies

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const [, place, kind] = /^\/(\d+)\/(\d+|script\.js)$/.exec(pathname) ?? [];
  if (kind === "script.js") response.writeHead(200, { ...ISOLATED, "content-type": "text/javascript" }).end(scripts[place].script);
  else if (kind) {
    const tag = `<script async src="/${place}/script.js" data-key="bench" data-consent="full"></script>`;
    response.writeHead(200, { ...ISOLATED, "content-type": "text/html" }).end(page(kind, tag));
  } else {
    const content = Buffer.concat(await request.toArray());
    if (content.length) sent.push(content);
    if (pathname === "/e") response.writeHead(204).end();
    else {
      const [, answer] = ANSWERS.find(([path]) => path.test(pathname));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    }
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

export const origin = `http://127.0.0.1:${server.address().port}`;
export const close = () => server.close();
// Each says clicks in words of its own; what another sent is no text of this one.
const clicksIn = (script, body) => {
  try {
    return script.clicks(unpacked(body));
  } catch {
    return 0;
  }
};
export const forget = (script) => {
  sent = sent.filter((body) => !clicksIn(script, body));
};

// How many clicks a script has told of since then, and in how many bytes each: as sent, and in gzip.
export const told = (script) => {
  const counted = sent.map((body) => [body, clicksIn(script, body)]).filter(([, clicks]) => clicks);
  const clicks = counted.reduce((sum, [, clicks]) => sum + clicks, 0);
  const each = (bytes) => Math.round(counted.reduce((sum, [body]) => sum + bytes(body), 0) / clicks);
  return { clicks, wire: each(({ length }) => length), gzip: each((body) => gzipSync(unpacked(body)).length) };
};
