import assert from "node:assert/strict";

import { bytesInGiB, quantityOf, sizeInGiB } from "../../../core/lib/quantities";

describe("quantities", () => {
    it("says how many GiB a quantity is, whatever its unit", () => {
        for (const [size, gibibytes] of [
            ["1Gi", 1],
            ["512Mi", 0.5],
            ["2Ti", 2048],
            ["1.5Gi", 1.5],
            ["1G", 1e9 / 2 ** 30],
            // Kubernetes itself writes sizes without a unit, in bytes.
            ["1073741824", 1],
            ["107374182400", 100],
            ["x", Number.NaN],
            ["1q", Number.NaN],
        ] as const) {
            assert.equal(sizeInGiB(size), gibibytes, size);
        }
    });

    it("says how many GiB a flag of VictoriaMetrics is, whose K is a thousand", () => {
        for (const [text, gibibytes] of [
            ["50GiB", 50],
            ["1073741824", 1],
            ["1KB", 1000 / 2 ** 30],
            ["x", Number.NaN],
        ] as const) {
            assert.equal(bytesInGiB(text), gibibytes, text);
        }
    });

    it("writes bytes as the shortest quantity, and as none where that would be bytes", () => {
        for (const quantity of ["2Gi", "512Mi", "3G", "1Ki", "7k"]) {
            assert.equal(quantityOf(sizeInGiB(quantity) * 2 ** 30), quantity);
        }
        assert.equal(quantityOf(1), undefined);
        assert.equal(quantityOf(Number.NaN), undefined);
    });
});
