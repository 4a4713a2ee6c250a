export function renderDocs(): Promise<Record<string, string>>
