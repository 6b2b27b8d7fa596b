import type { ReactNode } from 'react';
import { Component } from 'react';
import { Notice } from './Notice';

/** Shows a sentence instead of a white page when something inside cannot be drawn. */
export class Guard extends Component<{ readonly children: ReactNode }, { readonly error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    const retry = { text: 'Try again', onClick: () => { this.setState({ error: null }); } };
    return (
      <Notice title="This part cannot be shown" tone="bad" action={retry}>
        {this.state.error.message}
      </Notice>
    );
  }
}
