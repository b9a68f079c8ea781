import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { chartDigest } from "../../../tools/catalog/digest";
import { write } from "./charts";

describe("the digest of a chart", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "chart-"));
        write(folder, "values.yaml", "a: 1\n");
        write(folder, "templates/b.yaml", "b\n");
        write(folder, "templates/a/c.tpl", "c\n");
    });
    afterEach(() => {
        fs.rmSync(folder, { recursive: true });
    });

    it("is that of the list of its files, as sha256sum writes it", () => {
        const sum = (text: string) => createHash("sha256").update(text).digest("hex");
        const list = [
            `${sum("c\n")}  templates/a/c.tpl`,
            `${sum("b\n")}  templates/b.yaml`,
            `${sum("a: 1\n")}  values.yaml`,
            "",
        ].join("\n");
        assert.equal(chartDigest(folder), sum(list));
    });

    it("follows what Helm renders, and nothing else", () => {
        const before = chartDigest(folder);
        write(folder, "Chart.yaml", "name: x\n");
        write(folder, "README.md", "x\n");
        write(folder, "charts/x/values.yaml", "x: 1\n");
        assert.equal(chartDigest(folder), before);
        const digests = ["values.yaml", "values.schema.json", "templates/b.yaml", "crds/x.yaml", "files/x"].map(
            (file) => {
                write(folder, file, "changed\n");
                return chartDigest(folder);
            },
        );
        assert.equal(new Set([before, ...digests]).size, 6);
    });
});
