import { jwtTypes, type KeySigner } from '@parley/identity'
import {
  anchorList,
  desk,
  evil,
  nowSeconds,
  planes,
  signClaims,
  signDeskCredential,
  signStatement,
  type Claims,
} from './token-parties.ts'
import { nowMs, printVectors } from './vector-kit.ts'

/** A declaration as it comes to somebody who needs one for a purpose. */
export interface DeclarationVector {
  readonly name: string
  readonly declaration: string
  readonly purpose: string
  /** The assurance that a person has to have; absent where any agent is heard. */
  readonly human?: 1 | 2 | 3
  readonly expect: string
}

/** Lists declarations: those that hold, and each way of being wrong. */
export async function createDeclarationVectors(): Promise<readonly DeclarationVector[]> {
  const statement = await signStatement()
  const person = await signDeskCredential({ kind: 'human', assurance: 2, authTime: nowSeconds - 60 })
  const program = await signDeskCredential()
  const sign = (claims: Claims, signer: KeySigner = desk): Promise<string> =>
    signClaims(signer, jwtTypes.declaration, {
      jti: 'd1',
      purpose: 'approval',
      content: { digest: 'x' },
      credential: person,
      statement,
      ...claims,
    })
  const invalid = 'identity.jwt-invalid'
  const short = await signDeskCredential({
    kind: 'human',
    assurance: 2,
    authTime: nowSeconds - 400,
    iat: nowSeconds - 400,
    nbf: nowSeconds - 400,
    exp: nowSeconds - 60,
  })
  const cases: readonly (readonly [name: string, declaration: string, human: 1 | 2 | 3 | undefined, expect: string])[] =
    [
      ['by a person', await sign({}), 2, 'allow'],
      ['by a program, where any agent is heard', await sign({ credential: program }), undefined, 'allow'],
      [
        'by a program, where a person has to speak',
        await sign({ credential: program }),
        1,
        'identity.sign-in-too-weak',
      ],
      ['by a person who signed in too weakly', await sign({}), 3, 'identity.sign-in-too-weak'],
      ['for another purpose', await sign({ purpose: 'sign-in' }), 2, 'identity.purpose-mismatch'],
      ['by another key than that of the credential', await sign({}, planes), 2, 'identity.credential-mismatch'],
      ['with a credential that has expired', await sign({ credential: short }), 2, 'identity.credential-expired'],
      [
        'under a statement of an owner that is not accepted',
        await sign({ statement: await signStatement({}, evil) }),
        2,
        'identity.owner-unknown',
      ],
      ['that has expired', await sign({ iat: nowSeconds - 300, exp: nowSeconds - 60 }), 2, 'identity.jwt-expired'],
      ['from the future', await sign({ iat: nowSeconds + 61 }), 2, 'identity.jwt-expired'],
      ['without exp', await sign({ exp: undefined }), 2, invalid],
      ['without an id', await sign({ jti: undefined }), 2, invalid],
      ['without a purpose', await sign({ purpose: undefined }), 2, invalid],
      ['whose content is no object', await sign({ content: 'yes' }), 2, invalid],
      ['without a credential', await sign({ credential: undefined }), 2, invalid],
      ['without a statement', await sign({ statement: undefined }), 2, invalid],
      ['with the typ of an order', await signClaims(desk, jwtTypes.order, { jti: 'd1' }), 2, invalid],
    ]
  return cases.map(([name, declaration, human, expect]) => ({
    name,
    declaration,
    purpose: 'approval',
    ...(human === undefined ? {} : { human }),
    expect,
  }))
}

/** Writes declarations.json. */
export async function renderDeclarationVectors(): Promise<string> {
  return printVectors(
    'Declarations as they come to somebody with these anchors who needs one for a purpose.',
    { nowMs, anchors: anchorList },
    { declarations: await createDeclarationVectors() },
  )
}
