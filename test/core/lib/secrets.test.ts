import assert from "node:assert/strict";

import { catalogOf, versions } from "../../../core/charts";
import { masked, signedOut, withoutSecrets, maskedLog } from "../../../core/lib/secrets";
import { withinEffort } from "../../effort";

/** Texts with a secret, and what is shown of each. Tokens are put together here, so that nobody takes them for real ones. */
const texts: readonly (readonly [text: string, shown: string])[] = [
    ["https://user:hunter2@example.net/x", "https://…@example.net/x"],
    ["https://user:hun/ter?2@example.net", "https://…@example.net"],
    ["--x=https://hunter2@example.net and http://a:b@c", "--x=https://…@example.net and http://…@c"],
    ["user:hunter2@proxy.example.net:3128", "…@proxy.example.net:3128"],
    ["https://example.net/v1?x=1&api_key=hunter2#token=hunter3", "https://example.net/v1?x=1&api_key=…#token=…"],
    [`AKIAIOSFODNN7EXAMPLE`, "AKIA…"],
    [`x ghp_${"a1".repeat(18)} y`, "x ghp_… y"],
    [`x ${"wJ4lr+Ut/".repeat(5).slice(0, 40)} y`, "x … y"],
    [`xoxb-123456789012-abcdefghij`, "xoxb-…"],
    [`https://hooks.slack.com/services/T0000000/B0000/${"x".repeat(9)}`, "https://hooks.slack.com/services/…"],
    [`glsa_${"a1".repeat(16)}_x`, "glsa_…"],
    [`dt0c01.${"A1".repeat(12)}.${"B2".repeat(32)}`, "dt0c01.…"],
    [`eyJhbGciOiJI.eyJzdWIiOiIx.abc-_def`, "eyJ…"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n", "-----BEGIN RSA PRIVATE KEY-----…\n"],
    ["-----BEGIN PRIVATE KEY-----\\nMIIB", "-----BEGIN PRIVATE KEY-----…"],
    ["Bearer hunter", "Bearer …"],
    ["Basic dXNlcjpodW50ZXIy", "Basic …"],
    ["the answer to Bearer abc123def was 401", "the answer to Bearer … was 401"],
    ["Authorization: Bearer hunter", "Authorization: …"],
    ["--remoteWrite.basicAuth.password=hunter2", "--remoteWrite.basicAuth.password=…"],
    ["api-key=hunter2,x=y", "api-key=…,x=y"],
    ["a: {user: b, password: hunter2}, c: {'token': \"hunter3\" }", "a: {user: b, password: …}, c: {'token': \"…\" }"],
    ["Endpoint=sb://x/;SharedAccessKey=hun/ter+2=", "Endpoint=sb://x/;SharedAccessKey=…"],
    ['a: b\n  "password": "hunter2",\n- token: hunter3\n', 'a: b\n  "password": "…",\n- token: …\n'],
];

/** Texts that give nothing away. */
const open = [
    "https://${env:USER}:${env:PASSWORD}@example.net",
    "ssh://git@example.net/x",
    "registry.example.net:5000/kof/collector:v1@sha256:abcdef0123456789",
    "https://example.net:4318/a@b",
    "platform@example.net",
    "Bearer ${env:TOKEN}",
    "Basic authentication is wrong, and a Bearer certificate too",
    "Authorization: ${env:AUTHORIZATION}",
    'replace_pattern(body, "password=[^&]*", "password=***")',
    "password: ${env:PASSWORD}",
    "token: /var/run/secrets/token",
    "https://example.net/?token=${env:TOKEN}&key=name",
    "AKIA",
    "0123456789abcdef0123456789ABCDEF01234567",
    "/Kof/Production/Management/Cluster1/Logs",
    "MyVeryLongCollectorNameInCamelCaseNumber1",
    "wJ4lr+Ut/".repeat(6).slice(0, 41),
    "a token: what follows",
    "a, token: what follows",
    "{password: ${env:PASSWORD}, secret: {name: a}, token: }",
];

describe("a text", () => {
    for (const [text, shown] of texts) {
        it(`is shown as ${JSON.stringify(shown)}`, () => {
            assert.equal(masked(text), shown);
            assert.equal(masked(shown), shown);
        });
    }

    for (const text of open) {
        it(`is shown as it is: ${text}`, () => {
            assert.equal(masked(text), text);
            assert.equal(signedOut(text), text);
        });
    }

    it("with an address becomes the same address without user and password", () => {
        assert.equal(signedOut("https://user:hunter2@example.net/x"), "https://example.net/x");
        assert.equal(signedOut("user:hunter2@proxy:3128"), "proxy:3128");
        assert.equal(signedOut("https://example.net/v1?x=1&api_key=hunter2&y=2"), "https://example.net/v1?x=1&y=2");
        assert.equal(signedOut("https://example.net/v1?token=hunter2"), "https://example.net/v1");
    });

    it("takes little work, however often it begins like an address or a name", () => {
        for (const part of [
            "a",
            "a:",
            "\n",
            "a=b,",
            "https://",
            "a:b@",
            "Bearer ",
            "&a=",
            "- ",
            "-----BEGIN PRIVATE KEY",
            "eyJ",
        ]) {
            withinEffort(20, part, () => {
                masked(part.repeat(100_000 / part.length));
                signedOut(part.repeat(100_000 / part.length));
            });
        }
    });
});

describe("values", () => {
    const shown = (value: unknown) => withoutSecrets(value).open;

    it("are secrets by the names that they stand under", () => {
        const names = [
            "password",
            "clientSecret",
            "DD_API_KEY",
            "x-auth-token",
            "APIKey",
            "Authorization",
            "adminPassword",
        ];
        for (const name of names) {
            assert.deepEqual(shown({ a: { [name]: "hunter2" } }), { a: { [name]: "…" } }, name);
            assert.deepEqual(shown({ a: [{ name, value: "hunter2" }] }), { a: [{ name, value: "…" }] }, name);
        }
        assert.deepEqual(shown({ headers: { Authorization: ["hunter2"] } }), { headers: { Authorization: ["…"] } });
        assert.deepEqual(shown({ authorization: { type: "x", credentials: "hunter2" } }), {
            authorization: { type: "x", credentials: "…" },
        });
        assert.deepEqual(shown({ secretKey: "abcdefghijklmno1" }), { secretKey: "…" });
        assert.deepEqual(shown({ password: 123456 }), { password: "…" });
    });

    it("are none where they refer to one, hide one or are no text", () => {
        const values = {
            ...{ existingSecret: "kof", passwordKey: "x-y", tokenFile: "/a/b", password_file: "a", credentials: "kof" },
            ...{ automountServiceAccountToken: true, secretKey: "api-key", token: "", password: "${env:PASSWORD}" },
            secretKeyRef: { name: "kof", key: "password" },
            passwordSecret: { name: "kof", key: "password-of-kof-12345" },
            actions: [{ key: "db.password", value: "redacted", action: "update" }],
            encrypted: { secure: `v1:AKIAIOSFODNN7EXAMPLE` },
        };
        assert.deepEqual(withoutSecrets(values), { open: values, found: [] });
    });

    it("are told with their place, keys and lists included", () => {
        const key = `AKIAIOSFODNN7EXAMPLE`;
        const { open, found } = withoutSecrets({ a: { [key]: 1 }, b: [["x", { c: key }]] });
        assert.deepEqual(open, { a: { "AKIA…": 1 }, b: [["x", { c: "AKIA…" }]] });
        assert.deepEqual(
            found.map(({ path }) => path),
            [
                ["a", "AKIA…"],
                ["b", 0, 1, "c"],
            ],
        );
    });

    it("of the charts are none, but for what Dex shares with Grafana", () => {
        for (const version of versions) {
            for (const [chart, { values }] of Object.entries(catalogOf(version).charts)) {
                const places = withoutSecrets(values).found.map(({ path }) => path.join("."));
                assert.deepEqual(
                    places,
                    chart === "kof-mothership" ? ["dex.config.staticClients.0.secret"] : [],
                    chart,
                );
            }
        }
    });
});

describe("what a program says", () => {
    it("is shown without what stands after the name of a secret, wherever in the line", () => {
        for (const [said, shown] of [
            ["failed: Authorization: Bearer abcdefghijkl", "failed: Authorization: …"],
            [
                "headers map[Authorization:[Basic dXNlcjpwYXNz] X-Api-Key:[abcd]]",
                "headers map[Authorization:[…] X-Api-Key:[…]]",
            ],
            [
                '{"level":"error","headers":{"Authorization":"Bearer abcdefgh"}}',
                '{"level":"error","headers":{"Authorization":"…"}}',
            ],
            ['"error": "{\\"password\\":\\"hunter2\\"}"', '"error": "{\\"password\\":\\"…\\"}"'],
            ["connect failed password=hunter2 host=db", "connect failed password=… host=db"],
            ["auth error: password: hunter, retrying", "auth error: password: …, retrying"],
            ["got https://admin:s3cr3t@charts.example.net/x: 401", "got https://…@charts.example.net/x: 401"],
        ] as const) {
            assert.equal(maskedLog(said), shown);
        }
        for (const said of [
            "token: expired at 10:00",
            'secret "cloudwatch-credentials" not found',
            "references non-existent secret key: token",
            "error: dial tcp 10.0.0.1:4318: connect: connection refused",
        ]) {
            assert.equal(maskedLog(said), said);
        }
    });

    it("takes little work to read, whatever it is", () => {
        for (const each of ["a.", '"', "\\", "a ", "a:", "a=", "password=", '\\"']) {
            withinEffort(20, each, () => maskedLog(each.repeat(20_000)));
        }
    });
});
