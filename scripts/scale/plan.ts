/*
 * What a month costs on one machine and on a cluster: arithmetic over figures that were measured and
 * figures that are assumed. An event always comes with a debit entry; `pair` is both.
 */

/** Measured by `npm run bench`; what they mean in a formula stands in docs/scale.md. */
export interface MeasuredFigures {
    /** Processor seconds of a night that do not grow with events: a. */
    readonly nightSeconds: number;
    /** Processor seconds for a million new pairs: b. */
    readonly secondsPerMillion: number;
    /** Processor seconds for a million pairs of the month that were there before: h. */
    readonly historySecondsPerMillion: number;
    /** Processor seconds that a million pairs of NDJSON.gz cost more than Parquet: t. */
    readonly textSecondsPerMillion: number;
    /** Processor seconds of ClickHouse for the core of the job, a million pairs: c. */
    readonly clusterSecondsPerMillion: number;
    /** Parquet of a pair: p. */
    readonly bytesPerPair: number;
    /** Memory that grows with the new pairs of a night: m. */
    readonly memoryPerPair: number;
    /** Memory that does not. */
    readonly memoryBase: number;
}

/** Nobody measured these here: they are of the market, or a choice. */
export const assumed = {
    nights: 30,
    /** Within which a night has to be done. */
    windowHours: 4,
    /** Of what one core does, on a machine with many. */
    efficiency: 0.7,
    machineCores: 32,
    machineMemory: 128 * 2 ** 30,
    nodeCores: 16,
    nodeMemory: 64 * 2 ** 30,
    networkBytesPerSecond: 10e9 / 8,
    objectBytes: 128 * 2 ** 20,
    /** Of a Parquet object, when only some columns and row groups are read. */
    rangesPerObject: 8,
    dollarsPerCoreHour: 0.05,
    dollarsPerGigabyteMonth: 0.023,
    dollarsPerThousandPuts: 0.005,
    dollarsPerThousandGets: 0.0004,
} as const;

/** A month of so many events, and as many debits. */
export interface MonthCost {
    readonly events: number;
    readonly pairsPerNight: number;
    readonly bytesPerNight: number;
    readonly objectsPerNight: number;
    /** Of all nights. */
    readonly coreHours: number;
    /** Of them for what was there before. */
    readonly historyCoreHours: number;
    /** Of the last night on one machine, in hours. */
    readonly lastNightHours: number;
    readonly downloadHours: number;
    /** What the join of a night wants to hold; more than the machine has spills. */
    readonly memory: number;
    readonly fitsOneMachine: boolean;
    /** Nodes that do the event-scale stages of a night within the window, without a spill. */
    readonly nodes: number;
    readonly clusterCoreHours: number;
    /** Of the cluster in a month. */
    readonly rangeRequests: number;
    readonly listRequests: number;
    readonly dollars: {
        readonly machine: number;
        readonly cluster: number;
        readonly storage: number;
        readonly requests: number;
    };
}

/** The arithmetic of docs/scale.md. */
export function monthCost(events: number, of: MeasuredFigures): MonthCost {
    const { nights, windowHours, efficiency, machineCores, nodeCores } = assumed;
    const pairsPerNight = events / nights;
    const bytesPerNight = pairsPerNight * of.bytesPerPair;
    const objectsPerNight = Math.ceil(bytesPerNight / assumed.objectBytes);
    const millions = events / 1e6;
    // On average half of a month is there before a night.
    const history = of.historySecondsPerMillion * millions * (nights / 2);
    const seconds = nights * of.nightSeconds + of.secondsPerMillion * millions + history;
    const lastNight =
        of.nightSeconds +
        of.secondsPerMillion * (millions / nights) +
        of.historySecondsPerMillion * millions;
    const lastNightHours = lastNight / 3600 / (machineCores * efficiency);
    const clusterSeconds = of.clusterSecondsPerMillion * millions;
    const perNight = clusterSeconds / nights;
    const memory = of.memoryBase + of.memoryPerPair * pairsPerNight;
    const downloadHours = bytesPerNight / assumed.networkBytesPerSecond / 3600;
    const objects = objectsPerNight * nights;
    const rangeRequests = objects * assumed.rangesPerObject;
    // A night lists the objects of its month, a thousand at a time.
    const listRequests = Math.ceil(objects / 1000) * nights;
    const hourly = (of: number) => (of / 3600) * assumed.dollarsPerCoreHour;
    return {
        ...{ events, pairsPerNight, bytesPerNight, objectsPerNight, memory, downloadHours },
        ...{ coreHours: seconds / 3600, historyCoreHours: history / 3600, lastNightHours },
        fitsOneMachine: lastNightHours + downloadHours <= windowHours,
        nodes: Math.max(
            Math.ceil(perNight / 3600 / windowHours / (nodeCores * efficiency)),
            Math.ceil(memory / assumed.nodeMemory),
        ),
        clusterCoreHours: clusterSeconds / 3600,
        ...{ rangeRequests, listRequests },
        dollars: {
            machine: hourly(seconds / efficiency),
            cluster: hourly(clusterSeconds / efficiency),
            storage: ((events * of.bytesPerPair) / 1e9) * assumed.dollarsPerGigabyteMonth,
            requests:
                (listRequests / 1000) * assumed.dollarsPerThousandPuts +
                (rangeRequests / 1000) * assumed.dollarsPerThousandGets,
        },
    };
}

/** The most events of a month with which the last night ends within the window on one machine. */
export function largestMonth(of: MeasuredFigures, cores: number): number {
    const { windowHours, efficiency, nights, networkBytesPerSecond } = assumed;
    const perPairSeconds =
        (of.secondsPerMillion / nights + of.historySecondsPerMillion) / 1e6 / (cores * efficiency) +
        of.bytesPerPair / nights / networkBytesPerSecond;
    const window = windowHours * 3600 - of.nightSeconds / (cores * efficiency);
    return window / perPairSeconds;
}
