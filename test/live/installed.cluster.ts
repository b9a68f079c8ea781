import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";

import { parse } from "yaml";

import { claimNames } from "../../core/routes/volumes";
import { vmuserSecretName } from "../../core/charts/vmuser";
import { useCluster } from "../../tools/servers/cluster";
import type { AnyObject } from "../../tools/servers/crds";
import { deploymentFor, routes } from "../support";

/** A revision of the Helm release `kof`, as Helm keeps it. */
function revision(number: number, status: string, version: string, config: object): AnyObject {
    const release = {
        name: "kof",
        version: number,
        info: { status },
        chart: { metadata: { name: "kof", version } },
        config,
    };
    const packed = gzipSync(JSON.stringify(release)).toString("base64");
    return {
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
            name: `sh.helm.release.v1.kof.v${String(number)}`,
            namespace: "kof",
            labels: { owner: "helm", name: "kof", status, version: String(number) },
        },
        type: "helm.sh/release.v1",
        stringData: { release: packed },
    };
}

function claim(name: string, storage: string): AnyObject {
    return {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name, namespace: "kof" },
        spec: { accessModes: ["ReadWriteOnce"], storageClassName: "fast", resources: { requests: { storage } } },
    };
}

const namespace = (labels: Record<string, string> = {}): AnyObject => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "kof", labels },
});

describe("npm run adopt -- --cluster", () => {
    const cluster = useCluster();
    let folder: string;
    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "kof-"));
    });
    afterEach(async () => {
        fs.rmSync(folder, { recursive: true });
        await cluster().reset();
    });

    async function adopt(kubeconfig = cluster().kubeconfig, ...options: string[]) {
        const out = path.join(folder, "Pulumi.prod.yaml");
        const args = ["-r", "./cli/register.js", "cli/adopt.ts", "--cluster", "--out", out, ...options];
        const command = spawn(process.execPath, args, { env: { ...process.env, KUBECONFIG: kubeconfig } });
        const printed: string[] = [];
        command.stdout.on("data", (data) => printed.push(String(data)));
        command.stderr.on("data", (data) => printed.push(String(data)));
        const [code] = (await once(command, "close")) as [number];
        const config = fs.existsSync(out) ? parse(fs.readFileSync(out, "utf8")).config : undefined;
        return { code, printed: printed.join(""), config };
    }

    it("takes values, version, sizes and mesh from what is installed", async () => {
        const values = deploymentFor({ ...routes["regional with Istio"], version: "1.9.0" }).values;
        await cluster().apply(
            namespace({ "istio-injection": "enabled" }),
            revision(9, "superseded", "1.8.0", {}),
            revision(10, "deployed", "1.9.0", values),
            revision(11, "failed", "1.10.0", {}),
            ...claimNames("vmstorage", 0, 3).map((name) => claim(name, "150Gi")),
            claim("somebody-elses", "1Gi"),
        );
        const { code, printed, config } = await adopt();
        assert.equal(code, 0, printed);
        assert.equal(config["kof:route"], "regional");
        assert.equal(config["kof:version"], "1.9.0");
        assert.equal(config["kof:istio"], true);
        assert.deepEqual(config["kof:storage"], { metrics: { size: "150Gi" } });
        assert.equal(config["kof:values"], undefined);
        assert.match(
            printed,
            /claims of vmstorage ask for 150Gi, and the values say 100Gi\. kof:storage\.metrics\.size is 150Gi/,
        );
        assert.match(printed, /vmstorage are of class fast, and the values say kof\./);
    });

    it("finds a region among those of the cluster by its checksum", async () => {
        const values = deploymentFor({ ...routes.regional, version: "1.9.0" }).values;
        const [from, to] = [vmuserSecretName("eu-1", "kcm-system"), vmuserSecretName("paris", "regions")];
        const region: AnyObject = {
            apiVersion: "k0rdent.mirantis.com/v1beta1",
            kind: "ClusterDeployment",
            metadata: {
                name: "paris",
                namespace: "regions",
                labels: { "k0rdent.mirantis.com/kof-cluster-role": "regional" },
            },
            spec: {},
        };
        await cluster().apply(
            namespace(),
            { apiVersion: "v1", kind: "Namespace", metadata: { name: "regions" } },
            region,
            revision(1, "deployed", "1.9.0", JSON.parse(JSON.stringify(values).replaceAll(from, to)) as object),
        );
        const { code, printed, config } = await adopt();
        assert.equal(code, 0, printed);
        assert.deepEqual(config["kof:regional"], {
            cluster: "paris",
            domain: "eu-1.obs.example.net",
            namespace: "regions",
        });
    });

    it("says when a file is not what is installed, and takes the file", async () => {
        await cluster().apply(namespace(), revision(1, "deployed", "1.10.0", {}));
        const file = path.join(folder, "kof-values.yaml");
        fs.writeFileSync(file, "kof-child: {values: {fromManagement: {toManagementCluster: {enabled: true}}}}");
        const { code, printed, config } = await adopt(undefined, file);
        assert.equal(code, 0, printed);
        assert.equal(config["kof:route"], "management");
        assert.match(printed, /kof-values\.yaml is not what is installed/);
    });

    it("says what it could not check, and goes on with the rest", async () => {
        await cluster().apply(
            namespace({ "istio-injection": "enabled" }),
            revision(1, "deployed", "1.10.0", {}),
            {
                apiVersion: "rbac.authorization.k8s.io/v1",
                kind: "ClusterRole",
                metadata: { name: "adopt-test" },
                rules: [{ apiGroups: [""], resources: ["namespaces", "secrets"], verbs: ["get", "list"] }],
            },
            {
                apiVersion: "rbac.authorization.k8s.io/v1",
                kind: "ClusterRoleBinding",
                metadata: { name: "adopt-test" },
                roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "adopt-test" },
                subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "somebody" }],
            },
        );
        const kubeconfig = path.join(folder, "kubeconfig");
        const as = fs.readFileSync(cluster().kubeconfig, "utf8");
        const config = parse(as);
        config.users.forEach((each: any) => (each.user.as = "somebody"));
        fs.writeFileSync(kubeconfig, JSON.stringify(config));
        const found = await adopt(kubeconfig);
        assert.equal(found.code, 2, found.printed);
        assert.match(found.printed, /Could not check the volumes: .*somebody/);
        assert.equal(found.config["kof:istio"], true);
    });

    it("writes nothing where KOF is not installed, or not by Helm", async () => {
        const without = await adopt();
        assert.equal(without.code, 1);
        assert.match(without.printed, /has no namespace kof: KOF is not installed there/);
        await cluster().apply(namespace());
        const { code, printed, config } = await adopt();
        assert.equal(code, 1);
        assert.match(printed, /no Helm release kof in namespace kof\. Give the values file/);
        assert.equal(config, undefined);
    });
});
