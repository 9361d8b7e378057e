import codes from 'currency-codes';

/** Decimals of the minor unit (ISO 4217); undefined for a code that is not a currency. */
export function currencyExponent(currency: string): number | undefined {
    return known(currency)?.digits;
}

/** Whether the code is an ISO 4217 currency. Upper case only: `usd` is a typo worth finding. */
export function isCurrency(currency: string): boolean {
    return known(currency) !== undefined;
}

function known(currency: string): { readonly digits: number } | undefined {
    const record = /^[A-Z]{3}$/.test(currency) ? codes.code(currency) : undefined;
    return record ? { digits: record.digits } : undefined;
}
