import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

import { filesOf } from "./chartFiles";

/** What Helm renders of a chart, and `helm package` leaves as it is. (It rewrites Chart.yaml, and leaves out what .helmignore lists.) */
const rendered = ["crds", "files", "templates", "values.schema.json", "values.yaml"];

/**
 * SHA-256 of a chart's `values.yaml`, `values.schema.json` and all files in `templates`, `crds` and `files`, without its
 * dependencies: the same for a packed chart and for the folder that it was packed from. In the chart's folder, the same comes from
 *
 *     find -L crds files templates values.schema.json values.yaml -type f 2>/dev/null | LC_ALL=C sort | xargs sha256sum | sha256sum
 */
export function chartDigest(folder: string): string {
    const lines = rendered
        .flatMap((name) => filesOf(folder, name))
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        .map((file) => `${sha256(fs.readFileSync(path.join(folder, file)))}  ${file}\n`);
    return sha256(lines.join(""));
}

function sha256(data: string | Buffer): string {
    return createHash("sha256").update(data).digest("hex");
}
