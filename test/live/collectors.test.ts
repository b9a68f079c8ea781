import assert from "node:assert/strict";

import { KubeConfig } from "@kubernetes/client-node";

import { workloads } from "../../live/collectors";
import { lookAt, type Finding, type Live } from "../../live/findings";
import { Kubernetes } from "../../live/kubernetes";
import { HttpStandIn, type Reply } from "../cluster/standins";
import { routeFor } from "../support";

describe("doctor, of what collectors say", () => {
    let server: HttpStandIn | undefined;
    let log: string[] = [];

    before(async () => {
        server = await HttpStandIn.start(({ url }): Reply => {
            if (url.pathname.endsWith("/log")) {
                return [200, log.join("\n")];
            }
            return url.pathname.endsWith("/pods") ? [200, JSON.stringify({ items: [pod] })] : [404];
        });
    });
    after(() => server?.stop());

    const pod = {
        metadata: {
            name: "daemon-1",
            labels: {
                "app.kubernetes.io/component": "opentelemetry-collector",
                "app.kubernetes.io/instance": "kof.kof-collectors-daemon",
            },
        },
        status: { phase: "Running" },
    };

    function live(): Live {
        const config = new KubeConfig();
        const address = `http://127.0.0.1:${String(server?.port)}`;
        config.loadFromClusterAndUser({ name: "test", server: address, skipTLSVerify: true }, { name: "test" });
        return { route: routeFor({ route: "management" }), kubernetes: new Kubernetes(config), aws: {} };
    }

    async function findings(title: string): Promise<readonly Finding[]> {
        const check = workloads.find((each) => each.title === title);
        assert.ok(check);
        return (await lookAt(check, live())).findings;
    }

    it("tells of files that were begun anew", async () => {
        const file = "/var/lib/otelcol/file_storage/exporters-daemon/exporter_awscloudwatchlogs__logs";
        const began = (of: string) =>
            `2026-11-27T00:39:46Z\twarn\tfilestorage@v0.143.0/extension.go:106\tDatabase corruption detected, recreating database file\t` +
            `{"otelcol.component.id": "file_storage/exporters", "file": "${of}", "panic": "assertion failed"}`;
        log = [began(file), began(file), began("/var/lib/otelcol/file_storage/journaldreceiver/receiver_journald_")];
        const found = await findings("Collectors' files");
        assert.deepEqual(
            found.map(({ severity, what, why }) => [severity, what, why.split(".")[0]]),
            [
                ["warning", `daemon-1 could not read ${file}, and began anew`, "What waited in it is not sent"],
                [
                    "warning",
                    "daemon-1 could not read /var/lib/otelcol/file_storage/journaldreceiver/receiver_journald_, and began anew",
                    "What was written before the collector ran again may not have been read",
                ],
            ],
        );
        log = ["2026-11-27T00:41:44.482Z\tinfo\tEverything is ready"];
        assert.deepEqual(await findings("Collectors' files"), []);
    });
});
