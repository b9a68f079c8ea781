import assert from "node:assert/strict";

import { planOf, verdictOf } from "../../../../core/review/plan";
import { planText } from "../../../../core/review/plan/text";
import { deploymentFor, routes, type Raw } from "../../../support";

describe("plan of another distribution", () => {
    const plan = (from: string, to: string, raw: Raw = routes.management!) =>
        planOf(deploymentFor({ ...raw, distribution: from }), deploymentFor({ ...raw, distribution: to }));
    const told = (...args: Parameters<typeof plan>) =>
        plan(...args)
            .consequences.filter(({ key }) => key === "kof:distribution")
            .map(({ severity, message }) => `${severity}: ${message}`);

    it("says what is collected no longer, and from then on", () => {
        const what = "metrics of etcd, kube-scheduler and kube-controller-manager";
        // Each has another PKI_PATH, or none.
        const [replaces, ...others] = told("k0s", "gke");
        assert.match(
            String(replaces),
            /^notice: replaces the pods of kof-collectors-cluster-stats, kof-collectors-daemon, kof-collectors-ta-daemon: /,
        );
        assert.deepEqual(others, [
            `notice: stops controller-k0s-daemon: ${what} are no longer collected, because Google runs it`,
        ]);
        assert.deepEqual(told("gke", "k0s").slice(1), [
            `notice: starts controller-k0s-daemon: ${what} are collected from then on`,
        ]);
        assert.deepEqual(told("k0s", "rke2").slice(1), [
            "notice: has controller-k0s-daemon look for etcd's certificates below /var/lib/rancher/rke2/server/tls, and no longer below /var/lib/k0s",
            "notice: labels namespace kof with pod-security.kubernetes.io/enforce=privileged",
        ]);
        assert.match(planText(plan("k0s", "gke")), /kof:distribution stops controller-k0s-daemon/);
    });

    it("says what comes and goes with it, and loses nothing that is stored", () => {
        assert.deepEqual(told("kubeadm", "openshift").slice(1), [
            "notice: uninstalls KOF's metrics-server: the cluster has to have its own",
            "notice: moves KOF's node-exporter from port 9100 of the nodes to 9130",
            "notice: labels namespace kof with pod-security.kubernetes.io/enforce=privileged and security.openshift.io/scc.podSecurityLabelSync=false",
        ]);
        assert.ok(told("openshift", "kubeadm").includes("notice: installs KOF's metrics-server"));
        assert.equal(verdictOf(plan("kubeadm", "openshift")), "safe");
        assert.deepEqual(told("kubeadm", "kind"), []);
        assert.deepEqual(told("gke", "aks", { route: "none" }), []);
        assert.deepEqual(told("rke2", "k0s", { route: "none" }), [
            "notice: takes the label pod-security.kubernetes.io/enforce=privileged off namespace kof",
        ]);
        assert.match(
            told("openshift", "k0s", { route: "none" }).join(),
            /takes the labels \S+ and \S+ off namespace kof/,
        );
    });
});
