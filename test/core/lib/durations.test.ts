import assert from "node:assert/strict";

import { hoursOf, retentionInDays, secondsOf } from "../../../core/lib/durations";

describe("durations", () => {
    it("are added up unit by unit", () => {
        assert.deepEqual(["90s", "5m", "1h30m", "100ms"].map(secondsOf), [90, 300, 5400, 0.1]);
        assert.deepEqual(["90m", "2h", "1d"].map(hoursOf), [1.5, 2, 24]);
        for (const none of ["", "5", "m", "5 m", "-1h"]) {
            assert.ok(Number.isNaN(secondsOf(none)), none);
        }
    });

    it("takes a retention for what VictoriaMetrics does, whatever its unit", () => {
        const times = {
            "2": 62,
            "1.5": 46.5,
            "2M": 62,
            "3w": 21,
            "1y": 365,
            "12h": 0.5,
            "1d12h": 1.5,
            "1440m": 1,
            "86400s": 1,
        };
        for (const [retention, days] of Object.entries(times)) {
            assert.equal(retentionInDays(retention), days, retention);
        }
        for (const none of ["", "x", "d", "7 d", "-1d", "7q"]) {
            assert.ok(Number.isNaN(retentionInDays(none)), none);
        }
    });
});
