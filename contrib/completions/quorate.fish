# Completes quorate in fish. Every word it offers comes from the program itself.
function __quorate_words
    set -l typed (commandline -opc)
    set -l found ($typed[1] complete $typed[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c quorate -f -a '(__quorate_words)'
