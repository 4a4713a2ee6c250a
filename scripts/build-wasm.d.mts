export function renderModule(path?: string): Promise<string>
