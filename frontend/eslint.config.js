import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

// The layers: ui knows nothing of the app; domain is pure; only api talks to the outside.
const UI_KNOWS_NOTHING = ['**/api/*', '**/domain/*', '**/state/*', '**/status/*', '**/watchlist/*', '**/symbol/*'];
const DOMAIN_IS_PURE = ['react', '@tanstack/*', '**/state/*', '**/ui/*', '**/status/*', '**/watchlist/*', '**/symbol/*'];

export default typescript.config(
  { ignores: ['dist', 'src/api/schema.ts'] },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [typescript.configs.strictTypeChecked, hooks.configs.flat['recommended-latest']],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'max-lines': ['error', 300],
    },
  },
  { files: ['src/ui/**'], rules: { 'no-restricted-imports': ['error', { patterns: UI_KNOWS_NOTHING }] } },
  { files: ['src/domain/**'], rules: { 'no-restricted-imports': ['error', { patterns: DOMAIN_IS_PURE }] } },
);
