interface Experiment {
    readonly key: string;
}
interface Result {
    readonly value: unknown;
    readonly key: string;
    readonly featureId: string | null;
}
export declare const trackingCallback: ({ key }: Experiment, result: Result) => void;
export {};
