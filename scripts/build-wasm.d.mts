export function renderModule(): Promise<string>
