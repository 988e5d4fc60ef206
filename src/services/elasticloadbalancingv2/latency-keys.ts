// By what names response times are kept.

export const ofLoadBalancer = (id: string) => `lb ${id}`
export const ofTargetGroup = (id: string) => `tg ${id}`
export const ofTarget = (targetGroupId: string, targetId: string) => `target ${targetGroupId} ${targetId}`
