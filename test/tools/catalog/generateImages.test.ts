import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { generateImages } from "../../../tools/catalog/generateImages";

const charts = ["kof-operators", "victoria-metrics-operator", "kof-mothership", "kof-storage", "kof-collectors"];

/** Stands for helm: renders the file that is named like the chart and the switches that are turned over. */
const helm = `#!/bin/sh
file=$3/rendered
while [ $# -gt 0 ]; do
    if [ "$1" = --set ]; then
        case $2 in *vmuser*) ;; *) file=$file+$2 ;; esac
        shift
    fi
    shift
done
[ -f "$file" ] || { echo "does not render" >&2; exit 1; }
cat "$file"
`;

describe("the generator of image lists", () => {
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-"));
        fs.writeFileSync(path.join(folder, "helm"), helm, { mode: 0o755 });
        process.env.HELM = path.join(folder, "helm");
        for (const name of charts) {
            chart(name, "", { rendered: "kind: Secret\n" });
        }
    });
    afterEach(() => {
        delete process.env.HELM;
        fs.rmSync(folder, { recursive: true });
    });

    function chart(name: string, values: string, files: Record<string, string>, more = "") {
        const place = path.join(folder, name);
        fs.mkdirSync(place, { recursive: true });
        fs.writeFileSync(path.join(place, "Chart.yaml"), `name: ${name}\nversion: 1.0.0\n${more}`);
        fs.writeFileSync(path.join(place, "values.yaml"), values);
        for (const [file, text] of Object.entries(files)) {
            fs.writeFileSync(path.join(place, file), text);
        }
    }
    const pod = (...images: string[]) =>
        `kind: Pod\nspec: {containers: [${images.map((i) => `{image: "${i}"}`).join(",")}]}\n`;

    it("finds images, however an object names them, with their registry", async () => {
        chart("kof-mothership", "", {
            rendered: [
                pod("a/b:1", "busybox:2", "ghcr.io/c/d:3"),
                "kind: Deployment\nspec: {args: [--collector-image=e/f:4, --other=g/h:5]}\n",
                "kind: VMCluster\nspec: {vmselect: {image: {tag: v6}}}\n",
                "kind: VMAlert\nspec: {image: {tag: v7}}\n",
                "kind: VLCluster\nspec: {clusterVersion: v8}\n",
                "kind: VMAlertmanager\nspec: {image: {repository: prom/i, tag: v9}}\n",
                `kind: Pod\nmetadata: {annotations: {helm.sh/hook: test}}\nspec: {image: "x:1"}\n`,
                "kind: ConfigMap\ndata: {image: 'y:1'}\n",
            ].join("---\n"),
        });
        assert.deepEqual(
            (await generateImages(folder)).charts["kof-mothership"]?.images.map(({ image }) => image),
            [
                "docker.io/a/b:1",
                "docker.io/e/f:4",
                "docker.io/library/busybox:2",
                "docker.io/prom/i:v9",
                "docker.io/victoriametrics/victoria-logs:v8",
                "docker.io/victoriametrics/vmalert:v7",
                "docker.io/victoriametrics/vmselect:v6",
                "ghcr.io/c/d:3",
            ],
        );
    });

    it("finds the switches that an image depends on, and passes over those that need more than a switch", async () => {
        chart("kof-storage", "a: {enabled: true}\nb: {enabled: false}\nc: {enabled: false}\nd.e: {enabled: true}\n", {
            rendered: pod("x/a:1", "x/always:1"),
            "rendered+a.enabled=false": pod("x/always:1"),
            "rendered+b.enabled=true": pod("x/a:1", "x/always:1", "x/b:1"),
            "rendered+d\\.e.enabled=false": pod("x/a:1", "x/always:1"),
        });
        assert.deepEqual((await generateImages(folder)).charts["kof-storage"]?.images, [
            { image: "docker.io/x/a:1", when: [["a", "enabled"]] },
            { image: "docker.io/x/always:1", when: [] },
            { image: "docker.io/x/b:1", when: [["b", "enabled"]] },
        ]);
    });

    it("names dependencies that are not there, and charts of ServiceTemplates", async () => {
        const template = (chart: string, repository: string) =>
            `kind: ServiceTemplate\nspec: {helm: {chartSpec: {chart: ${chart}, version: 1.2.3, sourceRef: {name: ${repository}}}}}\n`;
        chart(
            "kof-mothership",
            "",
            {
                rendered: [
                    "kind: HelmRepository\nmetadata: {name: jetstack}\nspec: {url: 'https://charts.example.net'}\n",
                    template("kof-storage", "kof-repo"),
                    template("cert-manager", "jetstack"),
                    "kind: ServiceTemplate\nspec: {resources: {}}\n",
                ].join("---\n"),
            },
            "dependencies: [{name: dex}]\n",
        );
        const found = await generateImages(folder);
        assert.deepEqual(found.charts["kof-mothership"]?.absent, ["dex"]);
        assert.deepEqual(found.services, [
            { chart: "cert-manager", version: "1.2.3", repository: "https://charts.example.net" },
            { chart: "kof-storage", version: "1.2.3", repository: "" },
        ]);
    });

    it("says what it misses", async () => {
        fs.rmSync(path.join(folder, "kof-storage", "rendered"));
        await assert.rejects(generateImages(folder), {
            name: "UserError",
            message: / template kof-storage \S+ failed:\ndoes not render$/,
        });
        fs.rmSync(path.join(folder, "kof-storage"), { recursive: true });
        await assert.rejects(generateImages(folder), {
            name: "UserError",
            message: /^There is no chart kof-storage in /,
        });
        process.env.HELM = path.join(folder, "none");
        await assert.rejects(generateImages(folder), {
            name: "UserError",
            message: /none was not found\. Install Helm 3/,
        });
    });
});
