"""The git-backed side: repositories, the workspace, bases, and the disposable cache beside them."""
