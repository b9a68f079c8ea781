import assert from "node:assert/strict";

import { credentialChanges } from "../../../core/review/plan/credentials";
import { deploymentFor, routes, type Raw } from "../../support";

/** Every Secret that a stack needs, as `name of maker for reader: keys`. */
const needed = (raw: Raw) =>
    deploymentFor(raw).secrets.map(
        ({ name, keys, maker, reader }) => `${name} of ${maker} for ${reader}: ${keys.join(" ")}`,
    );
const otlp = {
    route: "otlp",
    otlp: {
        endpoint: "https://otlp.example.net",
        headersSecret: "headers",
        headers: ["x-key"],
        tls: { caSecret: "authority" },
    },
};
const grafana = "GF_SECURITY_ADMIN_USER GF_SECURITY_ADMIN_PASSWORD";
const values = (mothership: object) => ({ "kof-mothership": { values: { grafana: mothership } } });

describe("the Secrets that a stack needs", () => {
    it("are those that its collectors take variables from, and whose they are", () => {
        const keys = "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY";
        const own = (credentials: object) => ({
            route: "cloudwatch",
            cloudwatch: { region: "us-east-2", credentials },
        });
        assert.deepEqual(needed(routes.none!), []);
        assert.deepEqual(needed(routes.management!), []);
        assert.deepEqual(needed(routes.cloudwatch!), [`cloudwatch-credentials of stack for collectors: ${keys}`]);
        assert.deepEqual(needed(own({ kind: "existingSecret", name: "mine" })), [
            `mine of you for collectors: ${keys}`,
        ]);
        assert.deepEqual(needed(own({ kind: "podIdentity", clusterName: "a" })), []);
        assert.deepEqual(needed(otlp), [
            "authority of you for collectors: ca.crt",
            "headers of you for collectors: x-key",
        ]);
        for (const version of ["1.9.0", "1.10.0"]) {
            assert.deepEqual(needed({ ...routes.regional, version }), [
                "kof-vmuser-creds-admin-1108149986 of kof for collectors: password username",
            ]);
        }
    });

    it("are those of values too, and not those of collectors that do not run", () => {
        const secretKeyRef = { name: "mine", key: "token" };
        const env = [{ name: "TOKEN", valueFrom: { secretKeyRef } }];
        const collectors = (more: object) => ({
            ...routes.management,
            version: "1.9.0",
            values: { "kof-collectors": { values: { "opentelemetry-kube-stack": { collectors: more } } } },
        });
        assert.deepEqual(needed(collectors({ daemon: { env } })), ["mine of you for collectors: token"]);
        assert.deepEqual(needed(collectors({ daemon: { env, enabled: false } })), []);
    });

    it("are those that values name for other pods of charts that run", () => {
        const env = [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "mine", key: "token" } } }];
        const promxy = (more: object) => ({
            route: "none",
            values: { "kof-mothership": { ...more, values: { promxy: { env } } } },
        });
        assert.deepEqual(needed(promxy({})), ["mine of you for other pods: token"]);
        assert.deepEqual(needed(promxy({ enabled: false })), []);
    });

    it("are Grafana's, as the merged values have them", () => {
        const none = { route: "none", grafana: { enabled: true } };
        assert.deepEqual(needed(none), [`grafana-admin-credentials of stack for grafana: ${grafana}`]);
        assert.deepEqual(needed({ ...none, grafana: { enabled: true, existingSecret: "mine" } }), [
            `mine of you for grafana: ${grafana}`,
        ]);
        assert.deepEqual(needed({ ...none, values: values({ security: { credentials_secret_name: "other" } }) }), [
            `other of you for grafana: ${grafana}`,
        ]);
        assert.deepEqual(needed({ ...none, values: values({ enabled: false }) }), []);
        const off = { "kof-mothership": { enabled: false } };
        assert.deepEqual(needed({ ...none, values: off }), []);
        assert.deepEqual(needed({ route: "none", values: values({ enabled: true }) }), [
            `grafana-admin-credentials of kof for grafana: ${grafana}`,
        ]);
    });

    it("are all in a plan, by what happens to them", () => {
        const changes = (from: Raw, to: Raw) =>
            credentialChanges(deploymentFor(from), deploymentFor(to)).map(
                ({ operation, what }) => `${operation}: ${what}`,
            );
        assert.deepEqual(changes(routes.cloudwatch!, otlp), [
            "read: ca.crt in Secret authority, made elsewhere",
            "read: x-key in Secret headers, made elsewhere",
            "revoked: access key 1 of IAM user cloudwatch",
        ]);
        assert.deepEqual(changes(otlp, { ...otlp, grafana: { enabled: true } }), [
            "kept: ca.crt in Secret authority, made elsewhere",
            "kept: x-key in Secret headers, made elsewhere",
            "made: random password of Grafana's admin in Secret grafana-admin-credentials",
        ]);
        assert.deepEqual(changes(otlp, routes.none!), [
            "no longer read: ca.crt in Secret authority, made elsewhere",
            "no longer read: x-key in Secret headers, made elsewhere",
        ]);
    });
});
