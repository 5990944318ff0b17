from sonotune.cli import command

if __name__ == "__main__":
    command()
