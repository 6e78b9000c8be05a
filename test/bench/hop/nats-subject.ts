/** The subject that the NATS client's responder answers on. */
export const natsSubject = 'bench.hop'
