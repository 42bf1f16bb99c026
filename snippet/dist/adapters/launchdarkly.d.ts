interface Detail {
    readonly value: unknown;
    readonly variationIndex?: number | null | undefined;
    readonly reason?: {
        readonly ruleId?: string;
    } | null | undefined;
}
declare const told: (flag: string, { value, variationIndex, reason }: Detail) => void;
export declare const exposureInspector: {
    type: "flag-used";
    name: string;
    synchronous: true;
    method: typeof told;
};
export declare const exposureHook: {
    getMetadata: () => {
        name: string;
    };
    afterEvaluation<Data>({ flagKey }: {
        readonly flagKey: string;
    }, data: Data, detail: Detail): Data;
};
export {};
