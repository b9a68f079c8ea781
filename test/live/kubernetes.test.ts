import assert from "node:assert/strict";

import { Kubernetes } from "../../live/kubernetes";

const kubeconfig = JSON.stringify({
    clusters: ["a", "b"].map((name) => ({ name, cluster: { server: `https://${name}.example.net` } })),
    users: [{ name: "me", user: { token: "token" } }],
    contexts: ["a", "b"].map((name) => ({ name: `at-${name}`, context: { cluster: name, user: "me" } })),
    "current-context": "at-a",
});

describe("the cluster that the kubernetes: configuration leads to", () => {
    it("is that of the current context, of another context, or another one of the kubeconfig", () => {
        assert.equal(Kubernetes.connect({ kubeconfig }).server, "https://a.example.net");
        assert.equal(Kubernetes.connect({ kubeconfig, context: "at-b" }).server, "https://b.example.net");
        assert.equal(Kubernetes.connect({ kubeconfig, cluster: "b" }).server, "https://b.example.net");
        assert.equal(Kubernetes.connect({ kubeconfig, context: "at-b", cluster: "a" }).server, "https://a.example.net");
        assert.throws(() => Kubernetes.connect({ kubeconfig, cluster: "c" }), {
            name: "UserError",
            message: "The kubeconfig has no cluster c. It has: a, b.",
        });
    });
});
