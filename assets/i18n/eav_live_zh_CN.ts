<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en_US">
<context>
    <name></name>
    <message>
        <source>Neutral</source>
        <translation>中性</translation>
    </message>
    <message>
        <source>Sadness</source>
        <translation>悲伤</translation>
    </message>
    <message>
        <source>Anger</source>
        <translation>愤怒</translation>
    </message>
    <message>
        <source>Happiness</source>
        <translation>快乐</translation>
    </message>
    <message>
        <source>Calmness</source>
        <translation>平静</translation>
    </message>
    <message>
        <source>Undecided</source>
        <translation>未决</translation>
    </message>
    <message>
        <source>neutral</source>
        <translation>中性</translation>
    </message>
    <message>
        <source>sadness</source>
        <translation>悲伤</translation>
    </message>
    <message>
        <source>anger</source>
        <translation>愤怒</translation>
    </message>
    <message>
        <source>happiness</source>
        <translation>快乐</translation>
    </message>
    <message>
        <source>calmness</source>
        <translation>平静</translation>
    </message>
    <message>
        <source>No estimate</source>
        <translation>无估计</translation>
    </message>
    <message>
        <source>off</source>
        <translation>未用</translation>
    </message>
    <message>
        <source>connecting</source>
        <translation>连接中</translation>
    </message>
    <message>
        <source>live</source>
        <translation>实时</translation>
    </message>
    <message>
        <source>returned</source>
        <translation>已恢复</translation>
    </message>
    <message>
        <source>late</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>lost</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>refused</source>
        <translation>被拒</translation>
    </message>
    <message>
        <source>missing</source>
        <translation>缺失</translation>
    </message>
    <message>
        <source>Voice</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>voice</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>face</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>audio</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>video</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>arousal</source>
        <translation>唤醒度</translation>
    </message>
    <message>
        <source>dominance</source>
        <translation>支配度</translation>
    </message>
    <message>
        <source>valence</source>
        <translation>效价</translation>
    </message>
    <message>
        <source>theta</source>
        <translation>θ 频段</translation>
    </message>
    <message>
        <source>alpha</source>
        <translation>α 频段</translation>
    </message>
    <message>
        <source>beta</source>
        <translation>β 频段</translation>
    </message>
    <message>
        <source>gamma</source>
        <translation>γ 频段</translation>
    </message>
    <message>
        <source>microphone</source>
        <translation>麦克风</translation>
    </message>
    <message>
        <source>camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>streams</source>
        <translation>数据流</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>What it is</source>
        <translation>模型说明</translation>
    </message>
    <message>
        <source>Reads</source>
        <translation>输入</translation>
    </message>
    <message>
        <source>Tells</source>
        <translation>可识别</translation>
    </message>
    <message>
        <source>Adapted to</source>
        <translation>适配对象</translation>
    </message>
    <message>
        <source>Shown so far</source>
        <translation>已有验证</translation>
    </message>
    <message>
        <source>Learned from</source>
        <translation>训练数据</translation>
    </message>
    <message>
        <source>Tested</source>
        <translation>测试方法</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>Known failures</source>
        <translation>已知不足</translation>
    </message>
    <message>
        <source>License</source>
        <translation>许可</translation>
    </message>
    <message>
        <source>Made with</source>
        <translation>制作环境</translation>
    </message>
    <message>
        <source>not numbers</source>
        <translation>非数值</translation>
    </message>
    <message>
        <source>flat</source>
        <translation>平直</translation>
    </message>
    <message>
        <source>railed</source>
        <translation>饱和</translation>
    </message>
    <message>
        <source>noisy</source>
        <translation>噪声大</translation>
    </message>
    <message>
        <source>drifting</source>
        <translation>漂移</translation>
    </message>
    <message>
        <source>{hertz} Hz hum</source>
        <translation>{hertz} Hz 工频干扰</translation>
    </message>
    <message>
        <source>{text} and {n} more</source>
        <translation>{text}，另有 {n} 个</translation>
    </message>
    <message>
        <source>electrodes {faults}</source>
        <translation>电极 {faults}</translation>
    </message>
    <message>
        <source>{n} electrodes bad or missing, {most} allowed</source>
        <translation>{n} 个电极不良或缺失（最多允许 {most} 个）</translation>
    </message>
    <message>
        <source>samples that are not numbers</source>
        <translation>样本含非数值</translation>
    </message>
    <message>
        <source>no speech</source>
        <translation>无语音</translation>
    </message>
    <message>
        <source>no face</source>
        <translation>无人脸</translation>
    </message>
    <message>
        <source>the picture stands still</source>
        <translation>画面静止</translation>
    </message>
    <message>
        <source>someone else&apos;s voice, it seems</source>
        <translation>似乎是他人的声音</translation>
    </message>
    <message>
        <source>someone else&apos;s face, it seems</source>
        <translation>似乎是他人的面孔</translation>
    </message>
    <message>
        <source>no order of a head: electrodes mixed up, or no EEG</source>
        <translation>不符合头皮分布：电极接错位置，或不是脑电</translation>
    </message>
    <message>
        <source>contradicts the two others</source>
        <translation>与另外两种信号相矛盾</translation>
    </message>
    <message>
        <source>dead silence: muted, or no sound at all</source>
        <translation>完全无声：已静音，或没有声音输入</translation>
    </message>
    <message>
        <source>clipped: turn the gain down</source>
        <translation>信号削顶：请调低增益</translation>
    </message>
    <message>
        <source>no frames</source>
        <translation>无图像帧</translation>
    </message>
    <message>
        <source>no data</source>
        <translation>无数据</translation>
    </message>
    <message>
        <source>pictures are missing</source>
        <translation>缺少画面</translation>
    </message>
    <message>
        <source>no {n} s at one go</source>
        <translation>没有连续的 {n} 秒</translation>
    </message>
    <message>
        <source>too many bad electrodes</source>
        <translation>不良电极过多</translation>
    </message>
    <message>
        <source>collecting {seconds} of {all} s</source>
        <translation>正在采集 {seconds}/{all} 秒</translation>
    </message>
    <message>
        <source>newest data {seconds} s old</source>
        <translation>最新数据已是 {seconds} 秒前</translation>
    </message>
    <message>
        <source>samples come late by {seconds} s; over {most} s they are left out</source>
        <translation>样本迟到 {seconds} 秒；超过 {most} 秒则不采用</translation>
    </message>
    <message>
        <source>{rate} samples a second instead of {all}: samples are lost, or the sender states a wrong rate</source>
        <translation>每秒 {rate} 个样本，而非 {all} 个：样本有丢失，或发送端声明的采样率有误</translation>
    </message>
    <message>
        <source>samples come without a valid time stamp and are placed by when they arrive; restart the sender&apos;s program</source>
        <translation>样本没有有效的时间戳，按到达时间排列；请重启发送端程序</translation>
    </message>
    <message>
        <source>the sender&apos;s clock stepped by {seconds} s</source>
        <translation>发送端时钟跳变 {seconds} 秒</translation>
    </message>
    <message>
        <source>is this another person now?</source>
        <translation>是否换了一个人？</translation>
    </message>
    <message>
        <source>interpolated: {names}</source>
        <translation>插值：{names}</translation>
    </message>
    <message>
        <source>computed from their neighbors: {names}</source>
        <translation>由相邻电极计算：{names}</translation>
    </message>
    <message>
        <source>file ended</source>
        <translation>文件已播完</translation>
    </message>
    <message>
        <source>stopped: {why}</source>
        <translation>已停止：{why}</translation>
    </message>
    <message>
        <source>the microphone fell silent; is it still connected?</source>
        <translation>麦克风不再送来声音；是否仍已连接？</translation>
    </message>
    <message>
        <source>the camera gives no more frames; is it still connected?</source>
        <translation>摄像头不再送来图像；是否仍已连接？</translation>
    </message>
    <message>
        <source>looking for an LSL stream of type {kind} named {name}; visible of this type: {names}</source>
        <translation>正在查找类型为 {kind}、名称为 {name} 的 LSL 数据流；当前可见的同类数据流：{names}</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>no microphone opens ({why}). Connect one, or use --audio mic:DEVICE (`eav-live devices` lists them), lsl:NAME, file:PATH or none.</source>
        <translation>无法打开麦克风（{why}）。请连接麦克风，或使用 --audio mic:DEVICE（用 `eav-live devices` 列出）、lsl:NAME、file:PATH 或 none。</translation>
    </message>
    <message>
        <source>{name} does not open. Connect one, allow this program to use it (on Linux: membership of the group video), or use --video camera:INDEX (`eav-live devices` lists them), lsl:NAME, file:PATH or none.</source>
        <translation>{name} 无法打开。请连接摄像头，允许本程序使用它（Linux 下需加入 video 组），或使用 --video camera:INDEX（用 `eav-live devices` 列出）、lsl:NAME、file:PATH 或 none。</translation>
    </message>
    <message>
        <source>camera {n}</source>
        <translation>摄像头 {n}</translation>
    </message>
    <message>
        <source>{name} states no sampling rate; an even rate of {least} Hz or more is needed. Set the nominal rate in the amplifier&apos;s program, or give `rate` under [eeg] in {file}.</source>
        <translation>{name} 未声明采样率；需要不低于 {least} Hz 的固定采样率。请在放大器程序中设置标称采样率，或在 {file} 的 [eeg] 下填写 `rate`。</translation>
    </message>
    <message>
        <source>{name} runs at {rate} Hz; {least} Hz or more are needed for the band of 0.5-50 Hz. Raise the rate at the amplifier.</source>
        <translation>{name} 的采样率为 {rate} Hz；0.5–50 Hz 频段需要不低于 {least} Hz。请在放大器上提高采样率。</translation>
    </message>
    <message>
        <source>{name} names none of its {n} channels, and electrodes are never chosen by position. Have the amplifier&apos;s LSL program write labels into the header, or list all of them, in order, as `labels` under [eeg] in {file}.</source>
        <translation>{name} 的 {n} 个通道均无名称，而电极从不按位置选取。请让放大器的 LSL 程序在头信息中写入标签，或在 {file} 的 [eeg] 下用 `labels` 按顺序列出全部标签。</translation>
    </message>
    <message>
        <source>sound at {least} Hz or more is needed; have its program send the sound itself, and state its rate</source>
        <translation>需要不低于 {least} Hz 的声音；请让其程序发送声音本身并声明采样率</translation>
    </message>
    <message>
        <source>there is a camera that gives no picture; close other programs that use it, or allow this one to (on Linux: membership of the group video)</source>
        <translation>有一个摄像头没有图像；请关闭正在使用它的其他程序，或允许本程序使用它（Linux 下需加入 video 组）</translation>
    </message>
    <message>
        <source>camera {name} gives no picture. Close other programs that use it, or allow this one to (on Linux: membership of the group video).</source>
        <translation>摄像头 {name} 没有图像。请关闭正在使用它的其他程序，或允许本程序使用它（Linux 下需加入 video 组）。</translation>
    </message>
    <message>
        <source>another stream has the same name, computer and source id; stop one of them, or give it another name</source>
        <translation>另有一个数据流的名称、计算机和 source id 都相同；请停止其中一个，或改用其他名称</translation>
    </message>
    <message>
        <source>--save-preset {name} cannot be used; give up to 64 letters, digits, - and _, such as lab1</source>
        <translation>名称 {name} 不可用；请使用最多 64 个字母、数字、- 和 _，如 lab1</translation>
    </message>
    <message>
        <source>this file has no sound; choose another</source>
        <translation>此文件没有声音；请另选一个</translation>
    </message>
    <message>
        <source>this file has no picture; choose another</source>
        <translation>此文件没有图像；请另选一个</translation>
    </message>
    <message>
        <source>Loading {model}…</source>
        <translation>正在加载 {model}…</translation>
    </message>
    <message>
        <source>the model {name}</source>
        <translation>模型 {name}</translation>
    </message>
    <message>
        <source>the demo and its model</source>
        <translation>演示及其模型</translation>
    </message>
    <message>
        <source>the embedded model</source>
        <translation>内置模型</translation>
    </message>
    <message>
        <source>Looking for {streams}…</source>
        <translation>正在查找 {streams}…</translation>
    </message>
    <message>
        <source>the demo&apos;s streams</source>
        <translation>演示数据流</translation>
    </message>
    <message>
        <source>EEG stream {name}</source>
        <translation>EEG 数据流 {name}</translation>
    </message>
    <message>
        <source>stream {name}</source>
        <translation>数据流 {name}</translation>
    </message>
    <message>
        <source>Waiting for what the session must have…</source>
        <translation>正在等待会话所需的各项条件…</translation>
    </message>
    <message>
        <source>Demo model, trained on synthetic people: not valid for real people</source>
        <translation>演示模型，仅用合成人物训练：不适用于真人</translation>
    </message>
    <message>
        <source>no card: for whom it works is not stated</source>
        <translation>无模型卡：未说明适用于哪些人</translation>
    </message>
    <message>
        <source>{inputs} and {input}</source>
        <translation>{inputs}和{input}</translation>
    </message>
    <message>
        <source>{input} not used</source>
        <translation>不使用 {input}</translation>
    </message>
    <message>
        <source>{inputs} and {input} not used</source>
        <translation>不使用 {inputs} 和 {input}</translation>
    </message>
    <message>
        <source>adapted to {person}</source>
        <translation>已适配 {person}</translation>
    </message>
    <message>
        <source>the voice right on {share} of acted German and {other} of acted English speech (chance {chance})</source>
        <translation>语音在德语表演语料上正确率 {share}，英语为 {other}（随机水平 {chance}）</translation>
    </message>
    <message>
        <source>synthetic people only, not valid for real people</source>
        <translation>仅合成人物，不适用于真人</translation>
    </message>
    <message>
        <source>for whom it works was not tested here</source>
        <translation>适用于哪些人，此处未测试</translation>
    </message>
    <message>
        <source>not tested</source>
        <translation>未测试</translation>
    </message>
    <message>
        <source>{share} right (chance {chance}) on {whom}</source>
        <translation>正确率 {share}（随机水平 {chance}），{whom}</translation>
    </message>
    <message>
        <source>a trial run, {share} right (chance {chance}) on {whom}</source>
        <translation>试运行，正确率 {share}（随机水平 {chance}），{whom}</translation>
    </message>
    <message>
        <source>{n} person</source>
        <translation>{n} 人</translation>
    </message>
    <message>
        <source>{n} people</source>
        <translation>{n} 人</translation>
    </message>
    <message>
        <source>{people} it was not trained on</source>
        <translation>测试对象 {people}，均未参与训练</translation>
    </message>
    <message>
        <source>later trials of the {people} it was trained on</source>
        <translation>测试对象为参与训练的 {people}，取其后续试次</translation>
    </message>
    <message>
        <source>{people}, trained on or not</source>
        <translation>测试对象 {people}，可能参与过训练</translation>
    </message>
    <message>
        <source>Adaptation is frozen</source>
        <translation>适配已冻结</translation>
    </message>
    <message>
        <source>Adapting to this person: {n} of {all} windows seen</source>
        <translation>正在适配此人：已看到 {n}/{all} 个窗口</translation>
    </message>
    <message>
        <source>Adapting to this person: {n} of {all} windows seen ({modalities})</source>
        <translation>正在适配此人：已看到 {n}/{all} 个窗口（{modalities}）</translation>
    </message>
    <message>
        <source>Adapting to this person: waiting for more varied expressions</source>
        <translation>正在适配此人：等待更多样的表达</translation>
    </message>
    <message>
        <source>Adapting to this person: waiting for more varied expressions ({modalities})</source>
        <translation>正在适配此人：等待更多样的表达（{modalities}）</translation>
    </message>
    <message>
        <source>recording to {file}</source>
        <translation>正在录制到 {file}</translation>
    </message>
    <message>
        <source>recording to {file}, {time}, {room} GB left</source>
        <translation>正在录制到 {file}，{time}，剩余 {room} GB</translation>
    </message>
    <message>
        <source>recording to {file}, with losses: see the log</source>
        <translation>正在录制到 {file}，有丢失：见日志</translation>
    </message>
    <message>
        <source>recording to {file}, with losses: see the log, {time}, {room} GB left</source>
        <translation>正在录制到 {file}，有丢失：见日志，{time}，剩余 {room} GB</translation>
    </message>
    <message>
        <source>NOT recording to {file}: {why}</source>
        <translation>未能录制到 {file}：{why}</translation>
    </message>
    <message>
        <source>NOT recording to {file}: {why}, {time}, {room} GB left</source>
        <translation>未能录制到 {file}：{why}，{time}，剩余 {room} GB</translation>
    </message>
    <message>
        <source>{file} waits to be started</source>
        <translation>{file} 等待开始</translation>
    </message>
    <message>
        <source>{file} has {n} fault</source>
        <translation>{file} 有 {n} 处问题</translation>
    </message>
    <message>
        <source>{file} has {n} faults</source>
        <translation>{file} 有 {n} 处问题</translation>
    </message>
    <message>
        <source>{file} has {n} fault: {text}</source>
        <translation>{file} 有 {n} 处问题：{text}</translation>
    </message>
    <message>
        <source>{file} has {n} faults: {text}</source>
        <translation>{file} 有 {n} 处问题：{text}</translation>
    </message>
    <message>
        <source>{file} is whole: {seconds} s of {streams}</source>
        <translation>{file} 完整：{seconds} 秒 {streams}</translation>
    </message>
    <message>
        <source>{file} was not looked through</source>
        <translation>{file} 未经检查</translation>
    </message>
    <message>
        <source>{what} was lost and is back.</source>
        <translation>{what} 曾中断，现已恢复。</translation>
    </message>
    <message>
        <source>nothing is recorded, since the session lacks what it must have.</source>
        <translation>未录制：缺少会话所需的条件。</translation>
    </message>
    <message>
        <source>The electrodes are not steady.</source>
        <translation>电极信号不稳定。</translation>
    </message>
    <message>
        <source>{stream} is off: give {option}.</source>
        <translation>{stream} 未启用：请给出 {option}。</translation>
    </message>
    <message>
        <source>{stream} is {state}: {why}.</source>
        <translation>{stream} {state}：{why}。</translation>
    </message>
    <message>
        <source>{stream} is left out: {why}.</source>
        <translation>{stream} 未采用：{why}。</translation>
    </message>
    <message>
        <source>see that its sender is on</source>
        <translation>请确认发送端已开启</translation>
    </message>
    <message>
        <source>The electrodes are not judged yet: wait a moment.</source>
        <translation>电极尚未完成评估：请稍候。</translation>
    </message>
    <message>
        <source>Electrode {name} is {fault}: see to it.</source>
        <translation>电极 {name} {fault}：请检查。</translation>
    </message>
    <message>
        <source>electrode {name}</source>
        <translation>电极 {name}</translation>
    </message>
    <message>
        <source>electrodes</source>
        <translation>电极</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>磁盘</translation>
    </message>
    <message>
        <source>{n} electrodes are bad or missing, {most} may be: see to {names}.</source>
        <translation>{n} 个电极不良或缺失（最多允许 {most} 个）：请检查 {names}。</translation>
    </message>
    <message>
        <source>No face ({why}): turn the camera, or more light.</source>
        <translation>没有人脸（{why}）：请转动摄像头或增加光照。</translation>
    </message>
    <message>
        <source>not looked for yet</source>
        <translation>尚未检测</translation>
    </message>
    <message>
        <source>markers {name}</source>
        <translation>标记流 {name}</translation>
    </message>
    <message>
        <source>There is no stream of markers {name}: start the program that sends it.</source>
        <translation>没有标记流 {name}：请启动发送它的程序。</translation>
    </message>
    <message>
        <source>The disk has {room} GB left of the {all} it must have: make room, or record elsewhere.</source>
        <translation>磁盘剩余 {room} GB，至少需要 {all} GB：请腾出空间，或录制到别处。</translation>
    </message>
    <message>
        <source>This session records your EEG, your voice and pictures of your face, and what a program estimates from them. The estimates are guesses at acted emotions and say nothing certain about you. The recordings stay on this computer, under a code instead of your name, and you may have them deleted at any time. You may end the session whenever you wish.</source>
        <translation>本次会话将记录您的脑电（EEG）、声音和面部图像，以及程序据此作出的估计。这些估计只是对表演情绪的猜测，不能确切说明您的任何情况。录制内容保存在本计算机上，以代码而非您的姓名标识；您可以随时要求删除。您可以随时结束本次会话。</translation>
    </message>
    <message>
        <source>A model of how you sound and look is learned from it. It holds features of what was recorded, by which your voice and face are told from other people&apos;s, and is kept only if you say so.</source>
        <translation>程序将由此学习一个关于您的声音和面容的模型。模型含有录制内容的特征，程序据此将您的声音和面容与他人的区分开来；只有经您同意，模型才会保留。</translation>
    </message>
    <message>
        <source>In this session a computer program estimates emotions from your face, your voice or your EEG. Its estimates are guesses at acted emotions and say nothing certain about you. You will not be shown any, and you may end the session whenever you wish.</source>
        <translation>在本次会话中，计算机程序会根据您的面部、声音或脑电（EEG）估计情绪。这些估计只是对表演情绪的猜测，不能确切说明您的任何情况。这些估计不会展示给您，您可以随时结束本次会话。</translation>
    </message>
    <message>
        <source>Recorded: {all_of_it}.</source>
        <translation>记录内容：{all_of_it}。</translation>
    </message>
    <message>
        <source>who asked for consent is empty; give initials or a name</source>
        <translation>征求同意者为空；请填写姓名或其缩写</translation>
    </message>
    <message>
        <source>{n} of {all} trials</source>
        <translation>{n}/{all} 个试次</translation>
    </message>
    <message>
        <source>trial {n} of {all}, {minutes} min left</source>
        <translation>试次 {n}/{all}，剩余 {minutes} 分钟</translation>
    </message>
    <message>
        <source>trial {n} of {all}, {void} void, {minutes} min left</source>
        <translation>试次 {n}/{all}，{void} 个作废，剩余 {minutes} 分钟</translation>
    </message>
    <message>
        <source>End the session?</source>
        <translation>结束会话？</translation>
    </message>
    <message>
        <source>Enter ends it. Esc goes back to the pause.</source>
        <translation>按 Enter 结束，按 Esc 返回暂停。</translation>
    </message>
    <message>
        <source>The session has ended</source>
        <translation>会话已结束</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>谢谢</translation>
    </message>
    <message>
        <source>{n} of {all} trials are recorded.</source>
        <translation>已录制 {n}/{all} 个试次。</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>When the space bar is pressed, {what}.</source>
        <translation>按空格键后，{what}。</translation>
    </message>
    <message>
        <source>the rest goes on</source>
        <translation>继续休息</translation>
    </message>
    <message>
        <source>the page is shown again</source>
        <translation>重新显示本页</translation>
    </message>
    <message>
        <source>trial {n} begins again with its countdown</source>
        <translation>试次 {n} 将从倒计时重新开始</translation>
    </message>
    <message>
        <source>All is there again: the space bar goes on.</source>
        <translation>一切已恢复：按空格键继续。</translation>
    </message>
    <message>
        <source>{what} in trial {n}.</source>
        <translation>试次 {n}：{what}。</translation>
    </message>
    <message>
        <source>R does it again, the space bar keeps it.</source>
        <translation>按 R 重做，按空格键保留。</translation>
    </message>
    <message>
        <source>Nothing is recorded: {why}</source>
        <translation>未在录制：{why}</translation>
    </message>
    <message>
        <source>Some of what came in was not recorded</source>
        <translation>部分数据未被录制</translation>
    </message>
    <message>
        <source>{modality} had a gap</source>
        <translation>{modality} 有间断</translation>
    </message>
    <message>
        <source>{stream} is {state}. {why}</source>
        <translation>{stream} {state}。{why}</translation>
    </message>
    <message>
        <source>How you sound and look</source>
        <translation>您的声音和面容</translation>
    </message>
    <message>
        <source>You will say short sentences, each for seconds only, as if you felt what is shown.</source>
        <translation>您将说一些短句，每句只需几秒，就像您正感受着屏幕所示的情绪。</translation>
    </message>
    <message>
        <source>Let face and voice show it, and go on in your own words until the ring is empty.</source>
        <translation>请让面部和声音都表现出来，并用自己的话继续说，直到圆环走完。</translation>
    </message>
    <message>
        <source>You may pause or stop at any time, without giving a reason.</source>
        <translation>您可以随时暂停或停止，无需说明理由。</translation>
    </message>
    <message>
        <source>You will listen, and then answer aloud, ten times, for twenty seconds each.</source>
        <translation>您将先听、再出声回答，共十次，每次二十秒。</translation>
    </message>
    <message>
        <source>You will listen, and then answer aloud, for twenty seconds each.</source>
        <translation>您将先听、再出声回答，每次二十秒。</translation>
    </message>
    <message>
        <source>Feel into the emotion that is shown, and speak as you would if it were yours.</source>
        <translation>请体会屏幕所示的情绪，就像它是您自己的情绪那样说话。</translation>
    </message>
    <message>
        <source>{n} of {all} clips are recorded already; {what}.</source>
        <translation>已录制 {n}/{all} 个片段；{what}。</translation>
    </message>
    <message>
        <source>{n} are left</source>
        <translation>还剩 {n} 个</translation>
    </message>
    <message>
        <source>none is left to record</source>
        <translation>没有剩余片段要录制</translation>
    </message>
    <message>
        <source>It has become better.</source>
        <translation>校准后有所改善。</translation>
    </message>
    <message>
        <source>It has become worse: better discard it.</source>
        <translation>校准后变差了：建议放弃。</translation>
    </message>
    <message>
        <source>These clips cannot tell whether it has become better.</source>
        <translation>这些片段无法说明校准后是否有所改善。</translation>
    </message>
    <message>
        <source>Too much of what was learned on earlier days would be forgotten.</source>
        <translation>此前学到的内容会遗忘过多。</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>; </source>
        <translation>；</translation>
    </message>
    <message>
        <source>: </source>
        <translation>：</translation>
    </message>
    <message>
        <source>Thank you. Rest.

What you showed is being learned. It takes a minute or two.
Your recording is on disk: nothing is lost if you close the window.</source>
        <translation>谢谢，请休息。

正在学习您刚才的表现，需要一两分钟。
录制内容已存盘：关闭窗口也不会丢失。</translation>
    </message>
    <message>
        <source>Enter: I agree     Esc: I do not</source>
        <translation>Enter：我同意     Esc：我不同意</translation>
    </message>
    <message>
        <source>Calibration, {person}</source>
        <translation>校准，{person}</translation>
    </message>
    <message>
        <source>Agree  (Enter)</source>
        <translation>同意  (Enter)</translation>
    </message>
    <message>
        <source>No  (Esc)</source>
        <translation>不同意  (Esc)</translation>
    </message>
    <message>
        <source>Keep  (K)</source>
        <translation>保留  (K)</translation>
    </message>
    <message>
        <source>Discard  (D)</source>
        <translation>放弃  (D)</translation>
    </message>
    <message>
        <source>Ask me later  (Esc)</source>
        <translation>以后再问  (Esc)</translation>
    </message>
    <message>
        <source>Do you agree?</source>
        <translation>您同意吗？</translation>
    </message>
    <message>
        <source>Nothing could be learned from these clips</source>
        <translation>未能从这些片段中学到内容</translation>
    </message>
    <message>
        <source>The recording stays; it can be begun again.</source>
        <translation>录制内容仍保留；可以重新开始。</translation>
    </message>
    <message>
        <source>Gain {gain:+.0f} points (95 %: {low:+.0f} to {high:+.0f}), on {n} clips, each named by a fit without it.</source>
        <translation>提升 {gain:+.0f} 个百分点（95 %：{low:+.0f} 至 {high:+.0f}），基于 {n} 个片段，每个片段由未用它拟合的模型判定。</translation>
    </message>
    <message>
        <source>{name} {before:.0%} to {after:.0%}</source>
        <translation>{name} {before:.0%} 变为 {after:.0%}</translation>
    </message>
    <message>
        <source>Alone: {all}.</source>
        <translation>单独使用：{all}。</translation>
    </message>
    <message>
        <source>New to the model: {all}.</source>
        <translation>模型新学会：{all}。</translation>
    </message>
    <message>
        <source>Earlier days&apos; clips: {points:+.0f} points.</source>
        <translation>此前的片段：{points:+.0f} 个百分点。</translation>
    </message>
    <message>
        <source>Keep it? The next session of this person then uses it. The recording stays either way.</source>
        <translation>保留吗？保留后，此人的下一次会话将使用它。无论如何，录制内容都会保留。</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>校准前</translation>
    </message>
    <message>
        <source>After</source>
        <translation>校准后</translation>
    </message>
    <message>
        <source>{share:.0%}  ({low:.0%} to {high:.0%})</source>
        <translation>{share:.0%}（{low:.0%} 至 {high:.0%}）</translation>
    </message>
    <message>
        <source>Space  go on, pause     R  again     S  skip     F11  full screen     Esc  end</source>
        <translation>空格  继续、暂停     R  重做     S  跳过     F11  全屏     Esc  结束</translation>
    </message>
    <message>
        <source>Listen: {emotion}</source>
        <translation>听：{emotion}</translation>
    </message>
    <message>
        <source>Speak: {emotion}</source>
        <translation>说：{emotion}</translation>
    </message>
    <message>
        <source>Next you listen: {emotion}</source>
        <translation>接下来请听：{emotion}</translation>
    </message>
    <message>
        <source>Next you speak: {emotion}</source>
        <translation>接下来请说：{emotion}</translation>
    </message>
    <message>
        <source>recording {minutes}:{rest:02d}</source>
        <translation>录制中 {minutes}:{rest:02d}</translation>
    </message>
    <message>
        <source>not recording</source>
        <translation>未在录制</translation>
    </message>
    <message>
        <source>Waiting for the streams …</source>
        <translation>正在等待数据流…</translation>
    </message>
    <message>
        <source>The space bar goes on</source>
        <translation>按空格键继续</translation>
    </message>
    <message>
        <source>Rest</source>
        <translation>休息</translation>
    </message>
    <message>
        <source>Read, and get ready</source>
        <translation>请阅读并准备</translation>
    </message>
    <message>
        <source>Paused
No estimates are made. Streams come in, and are recorded if a recording runs.
Press P to go on.</source>
        <translation>已暂停
不作估计。数据流照常接收；若正在录制，也照常录制。
按 P 键继续。</translation>
    </message>
    <message>
        <source>Waiting for the person to acknowledge the notice
No estimate is made before. It is on the person&apos;s screen; if they have read it elsewhere, press N.</source>
        <translation>正在等待参与者确认告知书
确认之前不作估计。告知书显示在参与者的屏幕上；若已在别处阅读，请按 N 键。</translation>
    </message>
    <message>
        <source>The person has not acknowledged the notice: N does it here</source>
        <translation>参与者尚未确认告知书：可在此按 N 键代为确认</translation>
    </message>
    <message>
        <source>The notice was acknowledged</source>
        <translation>告知书已确认</translation>
    </message>
    <message>
        <source>The person is shown: {text}</source>
        <translation>已向参与者显示：{text}</translation>
    </message>
    <message>
        <source>No cue: the person&apos;s window was closed</source>
        <translation>无提示：参与者的窗口已关闭</translation>
    </message>
    <message>
        <source>No cue: the person has not acknowledged the notice</source>
        <translation>无提示：参与者尚未确认告知书</translation>
    </message>
    <message>
        <source>The person is shown no cue</source>
        <translation>参与者屏幕上已无提示</translation>
    </message>
    <message>
        <source>The recording ends…</source>
        <translation>正在结束录制…</translation>
    </message>
    <message>
        <source>Recording to {file}</source>
        <translation>正在录制到 {file}</translation>
    </message>
    <message>
        <source>The recording begins…</source>
        <translation>正在开始录制…</translation>
    </message>
    <message>
        <source>Recording ended. {found}</source>
        <translation>录制已结束。{found}</translation>
    </message>
    <message>
        <source>mean</source>
        <translation>平均</translation>
    </message>
    <message>
        <source>calibrated mean</source>
        <translation>校准平均</translation>
    </message>
    <message>
        <source>Recognition stopped
{error}
See the log.</source>
        <translation>识别已停止
{error}
请查看日志。</translation>
    </message>
    <message>
        <source>{rate:.0f} frames/s</source>
        <translation>{rate:.0f} 帧/秒</translation>
    </message>
    <message>
        <source>Waiting for the first window</source>
        <translation>正在等待第一个窗口</translation>
    </message>
    <message>
        <source>no stream was asked for</source>
        <translation>未请求数据流</translation>
    </message>
    <message>
        <source>hop {hop:.2f} s</source>
        <translation>步长 {hop:.2f} 秒</translation>
    </message>
    <message>
        <source>a window every {now:.2f} s instead of {hop:.2f} s: the model is slower</source>
        <translation>每 {now:.2f} 秒一个窗口，而非 {hop:.2f} 秒：模型较慢</translation>
    </message>
    <message>
        <source>age of the estimate {age:.1f} s</source>
        <translation>估计距今 {age:.1f} 秒</translation>
    </message>
    <message>
        <source>put out {age:.2f} s after its window</source>
        <translation>窗口结束后 {age:.2f} 秒输出</translation>
    </message>
    <message>
        <source>inference {took:.0f} ms</source>
        <translation>推理 {took:.0f} 毫秒</translation>
    </message>
    <message>
        <source>fused by {name}</source>
        <translation>融合方式 {name}</translation>
    </message>
    <message>
        <source>Adapted to this person by {n} windows</source>
        <translation>已用 {n} 个窗口适配此人</translation>
    </message>
    <message>
        <source>EAV-Live: measuring delays</source>
        <translation>EAV-Live：测量延迟</translation>
    </message>
    <message>
        <source>Point the camera at this screen and turn the sound up.
The screen flashes {n} times, about every two seconds. Escape ends it.</source>
        <translation>请将摄像头对准本屏幕，并调高音量。
屏幕将闪烁 {n} 次，约每两秒一次。按 Esc 结束。</translation>
    </message>
    <message>
        <source>{state}, left out</source>
        <translation>{state}，未采用</translation>
    </message>
    <message>
        <source>{state} by {age}</source>
        <translation>{state} {age}</translation>
    </message>
    <message>
        <source>left out: {why}</source>
        <translation>未采用：{why}</translation>
    </message>
    <message>
        <source>collecting {filled:.1f} of {all:g} s</source>
        <translation>正在采集 {filled:.1f}/{all:g} 秒</translation>
    </message>
    <message>
        <source>{minutes:.0f} min</source>
        <translation>{minutes:.0f} 分钟</translation>
    </message>
    <message>
        <source>{seconds:.0f} s</source>
        <translation>{seconds:.0f} 秒</translation>
    </message>
    <message>
        <source>{seconds:.1f} s</source>
        <translation>{seconds:.1f} 秒</translation>
    </message>
    <message>
        <source>{rate:.1f} a second</source>
        <translation>每秒 {rate:.1f} 个</translation>
    </message>
    <message>
        <source>{gaps} gaps, came back {returns} times</source>
        <translation>{gaps} 次间断，{returns} 次恢复</translation>
    </message>
    <message>
        <source>the sender&apos;s clock jumped {n} times</source>
        <translation>发送端时钟跳变 {n} 次</translation>
    </message>
    <message>
        <source>{hertz:g} Hz hum at {ratio:.1f} times the EEG</source>
        <translation>{hertz:g} Hz 工频干扰，为 EEG 的 {ratio:.1f} 倍</translation>
    </message>
    <message>
        <source>speech in {share:.0%} of the window</source>
        <translation>语音占窗口的 {share:.0%}</translation>
    </message>
    <message>
        <source>face in {share:.0%} of the frames, sure to {sure:.0%}</source>
        <translation>{share:.0%} 的帧中有人脸，置信度 {sure:.0%}</translation>
    </message>
    <message>
        <source>this model does not read it</source>
        <translation>此模型不使用该输入</translation>
    </message>
    <message>
        <source>{name}: not in use
{why}</source>
        <translation>{name}：未使用
{why}</translation>
    </message>
    <message>
        <source>Looking for {name} …</source>
        <translation>正在查找 {name}…</translation>
    </message>
    <message>
        <source>{name} lost</source>
        <translation>{name} 中断</translation>
    </message>
    <message>
        <source>{name} lost {age} ago</source>
        <translation>{name} 已中断 {age}</translation>
    </message>
    <message>
        <source>{name} refused</source>
        <translation>{name} 被拒</translation>
    </message>
    <message>
        <source>returned, collecting 0.0 of 5 s</source>
        <translation>已恢复、正在采集 0.0/5 秒</translation>
    </message>
    <message>
        <source> Press E to do it here.</source>
        <translation> 按 E 键可在此完成。</translation>
    </message>
    <message>
        <source>None</source>
        <translation>不使用</translation>
    </message>
    <message>
        <source>this is left out</source>
        <translation>不采集这一项</translation>
    </message>
    <message>
        <source>{n} of 30 electrodes</source>
        <translation>30 个电极中有 {n} 个</translation>
    </message>
    <message>
        <source>being looked at</source>
        <translation>正在检查</translation>
    </message>
    <message>
        <source>{pace}, cannot be used</source>
        <translation>{pace}，不可用</translation>
    </message>
    <message>
        <source>over LSL, {pace}</source>
        <translation>经 LSL，{pace}</translation>
    </message>
    <message>
        <source>{rate:g} Hz</source>
        <translation>{rate:g} Hz</translation>
    </message>
    <message>
        <source>, the default</source>
        <translation>，默认</translation>
    </message>
    <message>
        <source>Camera {number}</source>
        <translation>摄像头 {number}</translation>
    </message>
    <message>
        <source>a file</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>an irregular rate</source>
        <translation>不固定采样率</translation>
    </message>
    <message>
        <source>1 channel at {rate}</source>
        <translation>1 个通道，{rate}</translation>
    </message>
    <message>
        <source>{n} channels at {rate}</source>
        <translation>{n} 个通道，{rate}</translation>
    </message>
    <message>
        <source>{name} on {host}</source>
        <translation>{name}（{host}）</translation>
    </message>
    <message>
        <source>This cannot be used</source>
        <translation>无法使用</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在启动…</translation>
    </message>
    <message>
        <source>Back to the start page (B)</source>
        <translation>返回开始页 (B)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>关闭 (Esc)</translation>
    </message>
    <message>
        <source>{title}. {more}. Key {key}</source>
        <translation>{title}。{more}。按键 {key}</translation>
    </message>
    <message>
        <source>LOST   {text}   Press {key} to acknowledge</source>
        <translation>丢失   {text}   按 {key} 键确认</translation>
    </message>
    <message>
        <source>backend as it is</source>
        <translation>后端不变</translation>
    </message>
    <message>
        <source>Model: a run&apos;s folder or a checkpoint</source>
        <translation>模型：训练运行的文件夹或检查点</translation>
    </message>
    <message>
        <source>Backend</source>
        <translation>后端</translation>
    </message>
    <message>
        <source>Recognize</source>
        <translation>识别</translation>
    </message>
    <message>
        <source>Recognize anew by</source>
        <translation>重新识别，使用模型</translation>
    </message>
    <message>
        <source>{done} of {all} windows</source>
        <translation>{done}/{all} 个窗口</translation>
    </message>
    <message>
        <source>{path}: there is no such checkpoint</source>
        <translation>{path}：没有这个检查点</translation>
    </message>
    <message>
        <source>Click or press {key} for what this model is worth and where it fails</source>
        <translation>单击或按 {key} 键，查看此模型的效果与不足</translation>
    </message>
    <message>
        <source>What a model&apos;s authors wrote themselves is shown in their own words, untranslated.</source>
        <translation>模型作者自己写的内容按原文显示，不作翻译。</translation>
    </message>
    <message>
        <source>press {key} for its card</source>
        <translation>按 {key} 键查看模型卡</translation>
    </message>
    <message>
        <source>Card</source>
        <translation>模型卡</translation>
    </message>
    <message>
        <source>{name}: level</source>
        <translation>{name}：电平</translation>
    </message>
    <message>
        <source>{name}: what it shows</source>
        <translation>{name}：画面</translation>
    </message>
    <message>
        <source>Record this session</source>
        <translation>录制本次会话</translation>
    </message>
    <message>
        <source>a code, no name, as P01</source>
        <translation>代码而非姓名，如 P01</translation>
    </message>
    <message>
        <source>initials</source>
        <translation>姓名缩写</translation>
    </message>
    <message>
        <source>The person has read this, and agrees</source>
        <translation>参与者已阅读并同意</translation>
    </message>
    <message>
        <source>Record (Enter)</source>
        <translation>录制 (Enter)</translation>
    </message>
    <message>
        <source>Cancel (Esc)</source>
        <translation>取消 (Esc)</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>参与者</translation>
    </message>
    <message>
        <source>Who asks</source>
        <translation>征求同意者</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Recorded: {all}.</source>
        <translation>记录内容：{all}。</translation>
    </message>
    <message>
        <source>Not before the person agrees: tick that they do.</source>
        <translation>须先经本人同意：请勾选同意。</translation>
    </message>
    <message>
        <source>Dimensions of the {name}</source>
        <translation>{name}的情感维度</translation>
    </message>
    <message>
        <source>As the published model estimates them, from 0 to 1. Nothing of the estimate is computed from them.</source>
        <translation>由已发表的模型估计，范围 0 到 1。情绪估计不使用这些数值。</translation>
    </message>
    <message>
        <source>absent</source>
        <translation>缺失</translation>
    </message>
    <message>
        <source>quality</source>
        <translation>质量</translation>
    </message>
    <message>
        <source>not in the stream: computed from its neighbors</source>
        <translation>数据流中没有：由相邻电极计算</translation>
    </message>
    <message>
        <source>good</source>
        <translation>良好</translation>
    </message>
    <message>
        <source>Head map by {measure}</source>
        <translation>头部图：{measure}</translation>
    </message>
    <message>
        <source>{chosen}. Bad electrodes: {bad}</source>
        <translation>{chosen}。不良电极：{bad}</translation>
    </message>
    <message>
        <source>Spectrum</source>
        <translation>频谱</translation>
    </message>
    <message>
        <source>two seconds of numbers without a gap are needed</source>
        <translation>需要两秒无间断的有效数据</translation>
    </message>
    <message>
        <source> and </source>
        <translation> 和 </translation>
    </message>
    <message>
        <source>{line} Hz hum</source>
        <translation>{line} Hz 工频干扰</translation>
    </message>
    <message>
        <source>newest {seconds:.0f} s as recorded</source>
        <translation>最近 {seconds:.0f} 秒原始数据</translation>
    </message>
    <message>
        <source>Hz; 0 dB is 1 µV²/Hz</source>
        <translation>Hz；0 dB 为 1 µV²/Hz</translation>
    </message>
    <message>
        <source>{line:g} Hz hum</source>
        <translation>{line:g} Hz 工频干扰</translation>
    </message>
    <message>
        <source>Traces</source>
        <translation>波形</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>头部</translation>
    </message>
    <message>
        <source>the EEG as traces, on the head, as a spectrum</source>
        <translation>EEG 显示为波形、头部图或频谱</translation>
    </message>
    <message>
        <source>the traces for the eye, as the model sees them, as recorded</source>
        <translation>波形：便于查看、模型所见、原始录制</translation>
    </message>
    <message>
        <source>the traces live again, after Page Up</source>
        <translation>按 Page Up 之后，曲线回到实时</translation>
    </message>
    <message>
        <source>the head by quality or by the power of a band</source>
        <translation>头部图按质量或频段功率着色</translation>
    </message>
    <message>
        <source>the next electrode&apos;s spectrum; with Shift the one before</source>
        <translation>下一个电极的频谱；加 Shift 为上一个</translation>
    </message>
    <message>
        <source>five seconds of EEG without a gap are needed</source>
        <translation>需要五秒无间断的 EEG</translation>
    </message>
    <message>
        <source>Head map by</source>
        <translation>头部图依据</translation>
    </message>
    <message>
        <source>Electrode</source>
        <translation>电极</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>插值</translation>
    </message>
    <message>
        <source>By their order is a guess: compare it with the amplifier&apos;s manual, or touch an electrode and look at which trace moves.</source>
        <translation>按顺序对应只是猜测：请对照放大器手册，或触碰一个电极，看哪条波形变化。</translation>
    </message>
    <message>
        <source>Use (Enter)</source>
        <translation>采用 (Enter)</translation>
    </message>
    <message>
        <source>By name (F2)</source>
        <translation>按名称 (F2)</translation>
    </message>
    <message>
        <source>In order (F3)</source>
        <translation>按顺序 (F3)</translation>
    </message>
    <message>
        <source>Channel of {electrode}</source>
        <translation>{electrode} 的通道</translation>
    </message>
    <message>
        <source>{n} of {all} electrodes have a channel.</source>
        <translation>{all} 个电极中有 {n} 个已对应通道。</translation>
    </message>
    <message>
        <source>{n} of {all} electrodes have a channel; computed from their neighbors: {names}.</source>
        <translation>{all} 个电极中有 {n} 个已对应通道；由相邻电极计算：{names}。</translation>
    </message>
    <message>
        <source>More than {n} are computed only because you say so here.</source>
        <translation>计算的电极超过 {n} 个，仅因您在此指定才允许。</translation>
    </message>
    <message>
        <source>channel {number}</source>
        <translation>通道 {number}</translation>
    </message>
    <message>
        <source>{label} (channel {number})</source>
        <translation>{label}（通道 {number}）</translation>
    </message>
    <message>
        <source>not known to this model</source>
        <translation>此模型不识别</translation>
    </message>
    <message>
        <source>, held</source>
        <translation>，保持</translation>
    </message>
    <message>
        <source>Estimate</source>
        <translation>估计</translation>
    </message>
    <message>
        <source>not there</source>
        <translation>不存在</translation>
    </message>
    <message>
        <source>no new estimate</source>
        <translation>没有新的估计</translation>
    </message>
    <message>
        <source>truth: {emotion}</source>
        <translation>真值：{emotion}</translation>
    </message>
    <message>
        <source>no stream is usable</source>
        <translation>没有可用的数据流</translation>
    </message>
    <message>
        <source>from {streams}</source>
        <translation>来源：{streams}</translation>
    </message>
    <message>
        <source>not {emotions}</source>
        <translation>排除 {emotions}</translation>
    </message>
    <message>
        <source>any of them</source>
        <translation>任何一种</translation>
    </message>
    <message>
        <source>bar: smoothed, mark: this window</source>
        <translation>条：平滑后，竖线：本窗口</translation>
    </message>
    <message>
        <source>Camera picture</source>
        <translation>摄像头画面</translation>
    </message>
    <message>
        <source>Click at a face to follow it</source>
        <translation>单击人脸即可跟踪</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>&amp;Look in:</source>
        <translation>查找范围(&amp;L)：</translation>
    </message>
    <message>
        <source>Files of &amp;type:</source>
        <translation>文件类型(&amp;T)：</translation>
    </message>
    <message>
        <source>larger, smaller, usual letters</source>
        <translation>放大、缩小、恢复字号</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空格</translation>
    </message>
    <message>
        <source>play, pause</source>
        <translation>播放、暂停</translation>
    </message>
    <message>
        <source>slower, faster (0.5 to 4 times)</source>
        <translation>减速、加速（0.5 至 4 倍）</translation>
    </message>
    <message>
        <source>a second back, on; with Shift ten</source>
        <translation>后退、前进一秒；加 Shift 为十秒</translation>
    </message>
    <message>
        <source>to the beginning, to the end</source>
        <translation>到开头、到结尾</translation>
    </message>
    <message>
        <source>to the next disagreement; with Shift to the one before</source>
        <translation>到下一处分歧；加 Shift 到上一处</translation>
    </message>
    <message>
        <source>to the next loss of a stream; with Shift to the one before</source>
        <translation>到下一处数据流中断；加 Shift 到上一处</translation>
    </message>
    <message>
        <source>to the next marker or note; with Shift to the one before</source>
        <translation>到下一个标记或备注；加 Shift 到上一个</translation>
    </message>
    <message>
        <source>note something at the cursor</source>
        <translation>在光标处添加备注</translation>
    </message>
    <message>
        <source>rename the note at or before the cursor</source>
        <translation>重命名光标处或之前的备注</translation>
    </message>
    <message>
        <source>delete the note at or before the cursor</source>
        <translation>删除光标处或之前的备注</translation>
    </message>
    <message>
        <source>recognize anew by another model</source>
        <translation>用另一个模型重新识别</translation>
    </message>
    <message>
        <source>show the estimates as recorded, or those made anew</source>
        <translation>显示录制时的估计，或重新识别的估计</translation>
    </message>
    <message>
        <source>zoom into the timeline; with Shift out</source>
        <translation>放大时间线；加 Shift 缩小</translation>
    </message>
    <message>
        <source>save the timeline as a picture and a table, beside the recording</source>
        <translation>将时间线存为图片和表格，放在录制文件旁</translation>
    </message>
    <message>
        <source>larger, smaller EEG traces</source>
        <translation>放大、缩小 EEG 波形</translation>
    </message>
    <message>
        <source>the EEG for the eye, as a model sees it, as recorded</source>
        <translation>EEG：便于查看、模型所见、原始录制</translation>
    </message>
    <message>
        <source>with large letters what does not fit</source>
        <translation>字号较大时查看放不下的内容</translation>
    </message>
    <message>
        <source>full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>these keys</source>
        <translation>显示这些按键</translation>
    </message>
    <message>
        <source>make no estimates for a while, or again; streams still come in</source>
        <translation>暂停或继续估计；数据流照常接收</translation>
    </message>
    <message>
        <source>record, after consent; end the recording</source>
        <translation>征得同意后录制；结束录制</translation>
    </message>
    <message>
        <source>1 to 9</source>
        <translation>1 至 9</translation>
    </message>
    <message>
        <source>mark what the preset calls so, while it is recorded</source>
        <translation>录制时打上预设中定义的标记</translation>
    </message>
    <message>
        <source>show the person no cue any more, where marks show cues</source>
        <translation>标记会显示提示时，撤去参与者的提示</translation>
    </message>
    <message>
        <source>note something of this moment, while it is recorded</source>
        <translation>录制时为此刻添加备注</translation>
    </message>
    <message>
        <source>acknowledge a loss</source>
        <translation>确认中断</translation>
    </message>
    <message>
        <source>the person has read the notice, where one is shown</source>
        <translation>参与者已阅读告知书（若有显示）</translation>
    </message>
    <message>
        <source>the model&apos;s card</source>
        <translation>模型卡</translation>
    </message>
    <message>
        <source>the traces back, on; with large letters what does not fit</source>
        <translation>曲线向前、向后翻；字号大时翻看放不下的内容</translation>
    </message>
    <message>
        <source>stop the session, and close</source>
        <translation>停止会话并关闭</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>按键</translation>
    </message>
    <message>
        <source>{key} note</source>
        <translation>{key} 备注</translation>
    </message>
    <message>
        <source>marked {text}     </source>
        <translation>已标记 {text}     </translation>
    </message>
    <message>
        <source>note, then Enter</source>
        <translation>输入备注，按 Enter</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>nothing came at this moment</source>
        <translation>此刻没有数据</translation>
    </message>
    <message>
        <source>no frame here</source>
        <translation>此处没有图像</translation>
    </message>
    <message>
        <source>anew</source>
        <translation>重新识别</translation>
    </message>
    <message>
        <source>as recorded</source>
        <translation>录制时的估计</translation>
    </message>
    <message>
        <source>recorded</source>
        <translation>录制时</translation>
    </message>
    <message>
        <source>anew by {model}</source>
        <translation>由 {model} 重新识别</translation>
    </message>
    <message>
        <source>Nothing was recognized
R recognizes it now</source>
        <translation>没有识别过
按 R 现在识别</translation>
    </message>
    <message>
        <source>No estimate at this moment</source>
        <translation>此刻没有估计</translation>
    </message>
    <message>
        <source>{name}: not in this recording</source>
        <translation>{name}：不在此录制中</translation>
    </message>
    <message>
        <source>What is to be noted; Enter keeps it, Esc does not</source>
        <translation>输入备注内容；Enter 保存，Esc 放弃</translation>
    </message>
    <message>
        <source>−{seconds} s</source>
        <translation>−{seconds} 秒</translation>
    </message>
    <message>
        <source>now</source>
        <translation>现在</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>decision</source>
        <translation>判定</translation>
    </message>
    <message>
        <source>truth</source>
        <translation>真值</translation>
    </message>
    <message>
        <source>{where}: {found}; expected {expected}.</source>
        <translation>{where}：{found}；应为：{expected}。</translation>
    </message>
    <message>
        <source>it {how}, {n} of {all} bytes cannot be read; what is whole lasts {seconds} s</source>
        <translation>文件{how}，{all} 字节中有 {n} 字节无法读取；完整部分长 {seconds} 秒</translation>
    </message>
    <message>
        <source>breaks off in the middle of a chunk</source>
        <translation>在一个数据块中间中断</translation>
    </message>
    <message>
        <source>is damaged</source>
        <translation>已损坏</translation>
    </message>
    <message>
        <source>whole chunks to its end</source>
        <translation>直到结尾都是完整的数据块</translation>
    </message>
    <message>
        <source>Use what is whole, or {again}.</source>
        <translation>请使用完整的部分，或{again}。</translation>
    </message>
    <message>
        <source>copy it again from where it was recorded, if there is a longer one</source>
        <translation>若录制处有更长的文件，请重新复制</translation>
    </message>
    <message>
        <source>copy it again from where it was recorded, if there is a longer one.</source>
        <translation>若录制处有更长的文件，请重新复制。</translation>
    </message>
    <message>
        <source>look at its cable, battery and network, and record again if the part matters</source>
        <translation>请检查电缆、电池和网络，若该部分重要请重新录制</translation>
    </message>
    <message>
        <source>it was not ended properly and stops after {seconds} s</source>
        <translation>没有正常结束，在 {seconds} 秒后停止</translation>
    </message>
    <message>
        <source>the end of the session and a footer for each stream</source>
        <translation>会话结尾及每个数据流的尾部信息</translation>
    </message>
    <message>
        <source>The program was killed or the disk was full: use what is there, or {again}.</source>
        <translation>程序被强制结束或磁盘已满：请使用现有部分，或{again}。</translation>
    </message>
    <message>
        <source>{n} arrivals were not written</source>
        <translation>{n} 份到达的数据未写入</translation>
    </message>
    <message>
        <source>none lost</source>
        <translation>无丢失</translation>
    </message>
    <message>
        <source>The disk was full or too slow: free some room, or record elsewhere.</source>
        <translation>磁盘已满或过慢：请腾出空间，或录制到别处。</translation>
    </message>
    <message>
        <source>no such stream was recorded</source>
        <translation>没有录制到这样的数据流</translation>
    </message>
    <message>
        <source>one from {source}</source>
        <translation>来自 {source} 的一个</translation>
    </message>
    <message>
        <source>Check the device with `eav-live doctor` before the next session.</source>
        <translation>请在下次会话前用 `eav-live doctor` 检查设备。</translation>
    </message>
    <message>
        <source>no marker of this stream was recorded</source>
        <translation>没有录制到此数据流的标记</translation>
    </message>
    <message>
        <source>some, since the session had to have it</source>
        <translation>应有标记，因为会话必须有它</translation>
    </message>
    <message>
        <source>Check that the program that sends them was running.</source>
        <translation>请确认发送它们的程序在运行。</translation>
    </message>
    <message>
        <source>the stream {name} is empty</source>
        <translation>数据流 {name} 为空</translation>
    </message>
    <message>
        <source>samples</source>
        <translation>样本</translation>
    </message>
    <message>
        <source>See that its sender sends before the recording begins.</source>
        <translation>请确保发送方在录制开始前已在发送。</translation>
    </message>
    <message>
        <source>{n} samples can be read</source>
        <translation>可读取 {n} 个样本</translation>
    </message>
    <message>
        <source>the {n} of its footer</source>
        <translation>其尾部信息中的 {n} 个</translation>
    </message>
    <message>
        <source>The file is damaged: {again}.</source>
        <translation>文件已损坏：{again}。</translation>
    </message>
    <message>
        <source>{rate} samples a second</source>
        <translation>每秒 {rate} 个样本</translation>
    </message>
    <message>
        <source>{rate} to {tolerance}</source>
        <translation>{rate}，误差 {tolerance} 以内</translation>
    </message>
    <message>
        <source>Samples were lost or the stated rate is wrong: correct it at the sender, or give `rate` under [eeg] of live.toml.</source>
        <translation>样本有丢失或声明的采样率有误：请在发送方更正，或在 live.toml 的 [eeg] 中给出 `rate`。</translation>
    </message>
    <message>
        <source>its clock was never compared with the recording computer&apos;s</source>
        <translation>其时钟从未与录制计算机的时钟比较</translation>
    </message>
    <message>
        <source>a comparison every {seconds} s or oftener</source>
        <translation>每 {seconds} 秒或更频繁地比较一次</translation>
    </message>
    <message>
        <source>Its stamps may not fit the other streams&apos;: compare a common event.</source>
        <translation>其时间戳可能与其他数据流不符：请比较一个共同事件。</translation>
    </message>
    <message>
        <source>its clock jumped by {seconds} s against the recording computer&apos;s</source>
        <translation>其时钟相对录制计算机跳变了 {seconds} 秒</translation>
    </message>
    <message>
        <source>steps under {seconds} s</source>
        <translation>小于 {seconds} 秒的跳变</translation>
    </message>
    <message>
        <source>Its sender was restarted or its clock was set: treat the parts apart.</source>
        <translation>发送方被重启或时钟被调整：请分别处理各部分。</translation>
    </message>
    <message>
        <source>{n} {gaps} of {all} s in all, the first at {seconds} s, the longest {most} s</source>
        <translation>{n} 处{gaps}，共 {all} 秒，第一处在 {seconds} 秒，最长 {most} 秒</translation>
    </message>
    <message>
        <source>gap</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>gaps</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>the sender&apos;s clock is {seconds} s {side} this computer&apos;s; its samples are placed by when they arrive.</source>
        <translation>发送方的时钟比本计算机{side} {seconds} 秒；其样本按到达时间放置。</translation>
    </message>
    <message>
        <source>ahead of</source>
        <translation>快</translation>
    </message>
    <message>
        <source>behind</source>
        <translation>慢</translation>
    </message>
    <message>
        <source>Windows across a gap are not recognized: {advice}.</source>
        <translation>跨越中断的窗口不作识别：{advice}。</translation>
    </message>
    <message>
        <source>it begins {seconds} s after the stream that came first</source>
        <translation>比最先到来的数据流晚 {seconds} 秒开始</translation>
    </message>
    <message>
        <source>at most {seconds} s</source>
        <translation>最多 {seconds} 秒</translation>
    </message>
    <message>
        <source>Wait until all lamps are green before the session begins.</source>
        <translation>请等所有指示灯变绿后再开始会话。</translation>
    </message>
    <message>
        <source>it ends {seconds} s before the recording does</source>
        <translation>比录制早 {seconds} 秒结束</translation>
    </message>
    <message>
        <source>both to end together</source>
        <translation>两者同时结束</translation>
    </message>
    <message>
        <source>It was lost: {advice}.</source>
        <translation>数据流已丢失：{advice}。</translation>
    </message>
    <message>
        <source>{n} frames</source>
        <translation>{n} 帧</translation>
    </message>
    <message>
        <source>there is no such file</source>
        <translation>没有这样的文件</translation>
    </message>
    <message>
        <source>{n}, one for each stamp in {file}</source>
        <translation>{n} 帧，对应 {file} 中的每个时间戳</translation>
    </message>
    <message>
        <source>Put it beside the recording again.</source>
        <translation>请将它放回录制文件旁。</translation>
    </message>
    <message>
        <source>markers</source>
        <translation>标记</translation>
    </message>
    <message>
        <source>{name} was never marked ({said})</source>
        <translation>从未标记 {name}（{said}）</translation>
    </message>
    <message>
        <source>it at least once</source>
        <translation>至少一次</translation>
    </message>
    <message>
        <source>Check that the program that marks was running and its stream recorded.</source>
        <translation>请确认打标记的程序在运行，且其数据流已录制。</translation>
    </message>
    <message>
        <source>estimates</source>
        <translation>估计</translation>
    </message>
    <message>
        <source>none in {n} windows</source>
        <translation>{n} 个窗口中没有</translation>
    </message>
    <message>
        <source>one a window</source>
        <translation>每个窗口一个</translation>
    </message>
    <message>
        <source>See in the log why nothing was recognized; `eav-live repredict` makes them again from what was recorded.</source>
        <translation>没有识别出结果的原因见日志；`eav-live repredict` 可根据录制内容重新生成。</translation>
    </message>
    <message>
        <source>Restart the amplifier&apos;s program</source>
        <translation>请重启放大器的程序</translation>
    </message>
    <message>
        <source>{n} electrodes send values that are not numbers</source>
        <translation>{n} 个电极发送的值不是数字</translation>
    </message>
    <message>
        <source>{fault} (set it there, or `rate` under [eeg] in {file})</source>
        <translation>{fault}（请在该处设置，或在 {file} 的 [eeg] 中设置 `rate`）</translation>
    </message>
    <message>
        <source>looking for an LSL stream of type {kind} named {name}; visible of this type: {names}; there is a stream {other_name}. Have its program state the type {other_kind}</source>
        <translation>正在查找类型为 {kind}、名为 {name} 的 LSL 数据流；可见的此类型数据流：{names}；另有数据流 {other_name}。请让其程序声明类型 {other_kind}</translation>
    </message>
    <message>
        <source>Recognizing with the model of {code}&apos;s calibration; --model wins</source>
        <translation>使用 {code} 校准得到的模型识别；--model 优先</translation>
    </message>
    <message>
        <source>{code} has no model of their own so far; eav-live calibrate --person {code_again} makes one in four minutes</source>
        <translation>{code} 目前没有自己的模型；eav-live calibrate --person {code_again} 用四分钟即可得到一个</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>End recording</source>
        <translation>结束录制</translation>
    </message>
    <message>
        <source>{room:.0f} GB free</source>
        <translation>剩余 {room:.0f} GB</translation>
    </message>
    <message>
        <source>{text}: key {key}</source>
        <translation>{text}：按键 {key}</translation>
    </message>
    <message>
        <source>Timeline of the recording</source>
        <translation>录制的时间线</translation>
    </message>
    <message>
        <source>estimate</source>
        <translation>估计</translation>
    </message>
    <message>
        <source>Level of the voice</source>
        <translation>语音电平</translation>
    </message>
    <message>
        <source>Spectrogram of the voice</source>
        <translation>语音频谱图</translation>
    </message>
    <message>
        <source>the timeline back, on</source>
        <translation>时间线后退、前进</translation>
    </message>
    <message>
        <source>the timeline back to now</source>
        <translation>时间线回到现在</translation>
    </message>
    <message>
        <source>save the timeline as a picture and a table</source>
        <translation>将时间线存为图片和表格</translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation>时间线</translation>
    </message>
    <message>
        <source>marks</source>
        <translation>标记</translation>
    </message>
    <message>
        <source>−{seconds:g} s</source>
        <translation>−{seconds:g} 秒</translation>
    </message>
    <message>
        <source>−{minutes:g} min</source>
        <translation>−{minutes:g} 分钟</translation>
    </message>
    <message>
        <source>Last 3 minutes</source>
        <translation>最近 3 分钟</translation>
    </message>
    <message>
        <source>Back to now</source>
        <translation>回到现在</translation>
    </message>
    <message>
        <source>nothing to save yet</source>
        <translation>尚无可保存的内容</translation>
    </message>
    <message>
        <source>the picture cannot be written</source>
        <translation>无法写入图片</translation>
    </message>
    <message>
        <source>not saved in {folder}: {why}</source>
        <translation>未能保存到 {folder}：{why}</translation>
    </message>
    <message>
        <source>saved: {path} and .png</source>
        <translation>已保存：{path} 和 .png</translation>
    </message>
    <message>
        <source>Last {time}</source>
        <translation>最近 {time}</translation>
    </message>
    <message>
        <source>{first} to {last}</source>
        <translation>{first} 至 {last}</translation>
    </message>
    <message>
        <source>{seconds:.0f} seconds</source>
        <translation>{seconds:.0f} 秒</translation>
    </message>
    <message>
        <source>{minutes:.1f} minutes</source>
        <translation>{minutes:.1f} 分钟</translation>
    </message>
    <message>
        <source>{minutes:.0f} minutes</source>
        <translation>{minutes:.0f} 分钟</translation>
    </message>
    <message>
        <source>Eye</source>
        <translation>视图</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Raw</source>
        <translation>原始</translation>
    </message>
    <message>
        <source>Filtered for the eye, 0.5 to 40 Hz</source>
        <translation>为便于查看而滤波，0.5 至 40 Hz</translation>
    </message>
    <message>
        <source>The newest window as the model reads it</source>
        <translation>最新窗口，与模型读取的一致</translation>
    </message>
    <message>
        <source>As recorded, each electrode about its mean</source>
        <translation>原始录制，各电极去均值</translation>
    </message>
    <message>
        <source>Smaller traces: more µV a row (key −)</source>
        <translation>缩小波形：每行更多 µV（按键 −）</translation>
    </message>
    <message>
        <source>Larger traces: fewer µV a row (key +)</source>
        <translation>放大波形：每行更少 µV（按键 +）</translation>
    </message>
    <message>
        <source>Smaller traces</source>
        <translation>缩小波形</translation>
    </message>
    <message>
        <source>Larger traces</source>
        <translation>放大波形</translation>
    </message>
    <message>
        <source>EEG traces</source>
        <translation>EEG 波形</translation>
    </message>
    <message>
        <source>{about} (key F)</source>
        <translation>{about}（按键 F）</translation>
    </message>
    <message>
        <source>EEG filter. {about}</source>
        <translation>EEG 滤波。{about}</translation>
    </message>
    <message>
        <source>{scale} µV from row to row</source>
        <translation>行距 {scale} µV</translation>
    </message>
    <message>
        <source>differs</source>
        <translation>分歧</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>mark</source>
        <translation>标记</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>slower</source>
        <translation>减速</translation>
    </message>
    <message>
        <source>faster</source>
        <translation>加速</translation>
    </message>
    <message>
        <source>previous {what}</source>
        <translation>上一处{what}</translation>
    </message>
    <message>
        <source>next {what}</source>
        <translation>下一处{what}</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Recognize anew</source>
        <translation>重新识别</translation>
    </message>
    <message>
        <source>Key {key}</source>
        <translation>按键 {key}</translation>
    </message>
    <message>
        <source>EAV-Live: participant</source>
        <translation>EAV-Live：参与者</translation>
    </message>
    <message>
        <source>I have read this (Enter)</source>
        <translation>我已阅读 (Enter)</translation>
    </message>
    <message>
        <source>Tab and arrows choose</source>
        <translation>用 Tab 和方向键选择</translation>
    </message>
    <message>
        <source>Sound and pictures (*.mp4 *.mov *.mkv *.avi *.webm *.mpg *.wav *.flac *.mp3 *.m4a)</source>
        <translation>声音和图像 (*.mp4 *.mov *.mkv *.avi *.webm *.mpg *.wav *.flac *.mp3 *.m4a)</translation>
    </message>
    <message>
        <source>EAV-Live: devices</source>
        <translation>EAV-Live：设备</translation>
    </message>
    <message>
        <source>No EEG stream is seen on the network</source>
        <translation>网络上未发现 EEG 数据流</translation>
    </message>
    <message>
        <source>No microphone is seen</source>
        <translation>未发现麦克风</translation>
    </message>
    <message>
        <source>No camera is seen</source>
        <translation>未发现摄像头</translation>
    </message>
    <message>
        <source>Looking for devices…</source>
        <translation>正在查找设备…</translation>
    </message>
    <message>
        <source>Model: the embedded one, which reads voice and face, no EEG</source>
        <translation>模型：内置模型，使用语音和面部，不使用 EEG</translation>
    </message>
    <message>
        <source>Model: {name}</source>
        <translation>模型：{name}</translation>
    </message>
    <message>
        <source>name of the preset, then Enter</source>
        <translation>输入预设名称，按 Enter</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>预设名称</translation>
    </message>
    <message>
        <source>Electrodes (E)</source>
        <translation>电极 (E)</translation>
    </message>
    <message>
        <source>A file (F)</source>
        <translation>文件 (F)</translation>
    </message>
    <message>
        <source>Start (Enter)</source>
        <translation>开始 (Enter)</translation>
    </message>
    <message>
        <source>Save as a preset (S)</source>
        <translation>存为预设 (S)</translation>
    </message>
    <message>
        <source>Back (Esc)</source>
        <translation>返回 (Esc)</translation>
    </message>
    <message>
        <source>Which devices?</source>
        <translation>使用哪些设备？</translation>
    </message>
    <message>
        <source>{name}: {choice} cannot be used.</source>
        <translation>{name}：{choice} 不可用。</translation>
    </message>
    <message>
        <source>Choose at least one stream or device.</source>
        <translation>请至少选择一个数据流或设备。</translation>
    </message>
    <message>
        <source>it gave no reason</source>
        <translation>原因不明</translation>
    </message>
    <message>
        <source>Devices are no longer looked for: {why}</source>
        <translation>已不再查找设备：{why}</translation>
    </message>
    <message>
        <source>The name </source>
        <translation>名称 </translation>
    </message>
    <message>
        <source>Kept as {name}: it is on the start page from now on.</source>
        <translation>已存为 {name}：今后可在起始页找到。</translation>
    </message>
    <message>
        <source>Which channel of {name} is which electrode?</source>
        <translation>{name} 的哪个通道对应哪个电极？</translation>
    </message>
    <message>
        <source>A file in place of devices</source>
        <translation>用文件代替设备</translation>
    </message>
    <message>
        <source>{error!r}. See the log.</source>
        <translation>{error!r}。请查看日志。</translation>
    </message>
    <message>
        <source>Estimates say what a model made of these signals, not what the person felt; they are no diagnosis.</source>
        <translation>估计只表示模型对这些信号的判读，不代表参与者的真实感受，也不是诊断。</translation>
    </message>
    <message>
        <source>EAV-Live review: {file}</source>
        <translation>EAV-Live 回放：{file}</translation>
    </message>
    <message>
        <source>person {person}</source>
        <translation>参与者 {person}</translation>
    </message>
    <message>
        <source>{name}, a demo model of synthetic people. </source>
        <translation>{name}，合成人物的演示模型。</translation>
    </message>
    <message>
        <source>A synthetic person. </source>
        <translation>合成人物。</translation>
    </message>
    <message>
        <source>none before</source>
        <translation>此前没有</translation>
    </message>
    <message>
        <source>none after this moment</source>
        <translation>此后没有</translation>
    </message>
    <message>
        <source>Note at {time}</source>
        <translation>备注于 {time}</translation>
    </message>
    <message>
        <source>Rename {time}</source>
        <translation>重命名 {time}</translation>
    </message>
    <message>
        <source>deleted: {text}</source>
        <translation>已删除：{text}</translation>
    </message>
    <message>
        <source>no note at or before this moment</source>
        <translation>此刻及之前没有备注</translation>
    </message>
    <message>
        <source>the notes cannot be saved: {why}</source>
        <translation>无法保存备注：{why}</translation>
    </message>
    <message>
        <source>another decision in {n} stretches</source>
        <translation>{n} 段判定不同</translation>
    </message>
    <message>
        <source>another decision in 1 stretch</source>
        <translation>1 段判定不同</translation>
    </message>
    <message>
        <source>another decision than the label in {n} stretches</source>
        <translation>{n} 段判定与标签不同</translation>
    </message>
    <message>
        <source>another decision than the label in 1 stretch</source>
        <translation>1 段判定与标签不同</translation>
    </message>
    <message>
        <source>{done} of {all} windows were recognized anew</source>
        <translation>已重新识别 {done}/{all} 个窗口</translation>
    </message>
    <message>
        <source>A probability is a model&apos;s guess at acted emotions: not what a person feels, and no diagnosis. Nothing leaves this computer, and nothing is recorded without consent.</source>
        <translation>概率只是模型对表演情绪的猜测：既不代表真实感受，也不是诊断。任何数据都不会离开本计算机；未经同意不会录制。</translation>
    </message>
    <message>
        <source>Start with camera and microphone</source>
        <translation>用摄像头和麦克风开始</translation>
    </message>
    <message>
        <source>the embedded model reads face and voice</source>
        <translation>内置模型识别面部和语音</translation>
    </message>
    <message>
        <source>Connect devices</source>
        <translation>连接设备</translation>
    </message>
    <message>
        <source>see which amplifiers, microphones and cameras are there</source>
        <translation>查看有哪些放大器、麦克风和摄像头</translation>
    </message>
    <message>
        <source>Demo</source>
        <translation>演示</translation>
    </message>
    <message>
        <source>a synthetic person, no hardware</source>
        <translation>合成人物，无需硬件</translation>
    </message>
    <message>
        <source>Review a recording</source>
        <translation>回放录制</translation>
    </message>
    <message>
        <source>play it, step, note, recognize anew</source>
        <translation>播放、步进、备注、重新识别</translation>
    </message>
    <message>
        <source>Open a model</source>
        <translation>打开模型</translation>
    </message>
    <message>
        <source>one of yours, then choose its devices</source>
        <translation>您自己的模型，然后选择设备</translation>
    </message>
    <message>
        <source>the one that was refused, with the same options</source>
        <translation>刚才未能开始的那一次，选项不变</translation>
    </message>
    <message>
        <source>Last session again</source>
        <translation>重复上次会话</translation>
    </message>
    <message>
        <source>with the same streams and model</source>
        <translation>数据流和模型相同</translation>
    </message>
    <message>
        <source>there is none so far</source>
        <translation>目前没有</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>None so far. Connect devices and save the choice under a name, and it is here at the next start.</source>
        <translation>目前没有。请连接设备并命名保存，下次启动时即可在此找到。</translation>
    </message>
    <message>
        <source>Recordings (*.xdf)</source>
        <translation>录制 (*.xdf)</translation>
    </message>
    <message>
        <source>Take this subject&apos;s folder (Ctrl+Enter)</source>
        <translation>选用此受试者文件夹 (Ctrl+Enter)</translation>
    </message>
    <message>
        <source>Models (*.safetensors)</source>
        <translation>模型 (*.safetensors)</translation>
    </message>
    <message>
        <source>Drawing the dashboard…</source>
        <translation>正在绘制界面…</translation>
    </message>
    <message>
        <source>Reading {file}: about five minutes an hour…</source>
        <translation>正在读取 {file}：每小时录制约需五分钟…</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>未说明</translation>
    </message>
    <message>
        <source>{emotions}; not known to it: {unknown}</source>
        <translation>{emotions}；它不认识：{unknown}</translation>
    </message>
    <message>
        <source>{name}: {people}, language {languages}, license {license}</source>
        <translation>{name}：{people}，语言 {languages}，许可证 {license}</translation>
    </message>
    <message>
        <source>{name} (for {purpose}): {people}, language {languages}, license {license}</source>
        <translation>{name}（用于{purpose}）：{people}，语言 {languages}，许可证 {license}</translation>
    </message>
    <message>
        <source>{name} (for {purpose}): {people}</source>
        <translation>{name}（用于{purpose}）：{people}</translation>
    </message>
    <message>
        <source>number of people {what}</source>
        <translation>人数{what}</translation>
    </message>
    <message>
        <source>synthetic people</source>
        <translation>合成人物</translation>
    </message>
    <message>
        <source>the voice</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>the face</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>German</source>
        <translation>德语</translation>
    </message>
    <message>
        <source>English</source>
        <translation>英语</translation>
    </message>
    <message>
        <source>Chinese</source>
        <translation>中文</translation>
    </message>
    <message>
        <source>fused</source>
        <translation>融合</translation>
    </message>
    <message>
        <source>{output}: accuracy {value} ({between}); {on}</source>
        <translation>{output}：准确率 {value}（{between}）；{on}</translation>
    </message>
    <message>
        <source>{output}: balanced accuracy {value} ({between}); {on}</source>
        <translation>{output}：平衡准确率 {value}（{between}）；{on}</translation>
    </message>
    <message>
        <source>95 % by {unit} {low}-{high}</source>
        <translation>按{unit} 95 % {low}-{high}</translation>
    </message>
    <message>
        <source>person</source>
        <translation>人</translation>
    </message>
    <message>
        <source>trial</source>
        <translation>试次</translation>
    </message>
    <message>
        <source>interval not stated</source>
        <translation>区间未说明</translation>
    </message>
    <message>
        <source>chance {chance}</source>
        <translation>随机水平 {chance}</translation>
    </message>
    <message>
        <source>{n} windows</source>
        <translation>{n} 个窗口</translation>
    </message>
    <message>
        <source>{names}: {before} before, {after} after (difference 95 % by clip {low} to {high}; {n} clips)</source>
        <translation>{names}：之前 {before}，之后 {after}（按片段差值 95 % {low} 至 {high}；{n} 个片段）</translation>
    </message>
    <message>
        <source>transformers of each modality, joined by AMBT ({variant})</source>
        <translation>各模态的 transformer，由 AMBT 融合（{variant}）</translation>
    </message>
    <message>
        <source>transformer of {names}</source>
        <translation>{names} 的 transformer</translation>
    </message>
    <message>
        <source>{name}, a baseline</source>
        <translation>{name}（基线）</translation>
    </message>
    <message>
        <source>the mean of the probabilities of {n} models: {names}</source>
        <translation>{n} 个模型的概率均值：{names}</translation>
    </message>
    <message>
        <source>published classifiers as they are: {names}; together the mean of the probabilities of what is there</source>
        <translation>原样使用已发布的分类器：{names}；合用时取现有部分的概率均值</translation>
    </message>
    <message>
        <source>{model} for the {sense}</source>
        <translation>{sense}用 {model}</translation>
    </message>
    <message>
        <source>{model} for the {sense} and {other_model} for the {other_sense}</source>
        <translation>{sense}用 {model}，{other_sense}用 {other_model}</translation>
    </message>
    <message>
        <source>{n} labeled clips</source>
        <translation>{n} 个带标签的片段</translation>
    </message>
    <message>
        <source>{n} labeled clips of {all} days</source>
        <translation>{all} 天的 {n} 个带标签的片段</translation>
    </message>
    <message>
        <source>classes of the {sense}</source>
        <translation>{sense}类别</translation>
    </message>
    <message>
        <source>{name} (for {purpose}: {source}): {people}, language {languages}, license {license}</source>
        <translation>{name}（用于{purpose}：{source}）：{people}，语言 {languages}，许可证 {license}</translation>
    </message>
    <message>
        <source>pictures of the web, labeled by people</source>
        <translation>网络图片，由人标注</translation>
    </message>
    <message>
        <source>not tested here; see the cards of the models</source>
        <translation>未在此测试；参见各模型的模型卡</translation>
    </message>
    <message>
        <source>Nothing was measured here; what the authors&apos; cards say was, on their data.</source>
        <translation>此处没有测量；作者模型卡中的结果是在他们的数据上测得的。</translation>
    </message>
    <message>
        <source>They learned from acted or posed clips and pictures of other people, cut out in other ways. Speaking disturbs a face&apos;s expression; another language, microphone or room, a voice&apos;s.</source>
        <translation>它们从他人表演或摆拍的片段和图片学习，裁剪方式也不同。说话会干扰面部表情；不同的语言、麦克风或房间会干扰语音。</translation>
    </message>
    <message>
        <source>It knows synthetic people only and says nothing of real ones.</source>
        <translation>它只认识合成人物，不能说明真人的任何情况。</translation>
    </message>
    <message>
        <source>Of people it was not trained on nothing was tested.</source>
        <translation>没有对未参与训练的人进行测试。</translation>
    </message>
    <message>
        <source>{windows} showed what it does not know.</source>
        <translation>{windows}表现了它不认识的情绪。</translation>
    </message>
    <message>
        <source>{n} test window</source>
        <translation>{n} 个测试窗口</translation>
    </message>
    <message>
        <source>{n} test windows</source>
        <translation>{n} 个测试窗口</translation>
    </message>
    <message>
        <source>{output}: not shown to be better than chance.</source>
        <translation>{output}：未显示优于随机水平。</translation>
    </message>
    <message>
        <source>{emotion} is recognized least, in {share} of its windows; it is taken for {other_emotion} most often.</source>
        <translation>{emotion} 识别率最低，为其窗口的 {share}；最常被当作 {other_emotion}。</translation>
    </message>
    <message>
        <source>{name} is under {license}</source>
        <translation>{name} 的许可证为 {license}</translation>
    </message>
    <message>
        <source>{count} parameters, seed {seed}</source>
        <translation>{count} 个参数，种子 {seed}</translation>
    </message>
    <message>
        <source>configuration</source>
        <translation>配置</translation>
    </message>
    <message>
        <source>stages</source>
        <translation>阶段</translation>
    </message>
    <message>
        <source>{name} begun from</source>
        <translation>{name} 的起点</translation>
    </message>
    <message>
        <source>{name} as {emotion}</source>
        <translation>{name} 作为 {emotion}</translation>
    </message>
    <message>
        <source>{name} left out</source>
        <translation>不采用 {name}</translation>
    </message>
    <message>
        <source>within subjects: the first trials of each class train, the last test; whole trials only</source>
        <translation>受试者内：每类的前面试次用于训练，最后的用于测试；只用完整试次</translation>
    </message>
    <message>
        <source>leave subjects out: nobody who trains or validates is tested</source>
        <translation>留出受试者：参与训练或验证的人都不参与测试</translation>
    </message>
    <message>
        <source>the mean of a published network of faces (mini-Xception) and a logistic regression on statistics of speech; assets/people.md says more</source>
        <translation>一个已发布的人脸网络（mini-Xception）与一个基于语音统计量的逻辑回归的均值；详见 assets/people.md</translation>
    </message>
    <message>
        <source>the voice: each speaker left out, and speakers of another language; the face: two people&apos;s faces are said to show what they show, which checks it and is no accuracy; both together: not tested</source>
        <translation>语音：逐一留出每位说话人，以及另一种语言的说话人；面部：两个人的面部被判为其所表现的情绪，这只是检查，不是准确率；两者合用：未测试</translation>
    </message>
    <message>
        <source>live windows of EmoDB, each speaker left out</source>
        <translation>EmoDB 的实时窗口，逐一留出每位说话人</translation>
    </message>
    <message>
        <source>RAVDESS&apos;s clips in English, nobody of it trained on</source>
        <translation>RAVDESS 的英语片段，其中无人参与训练</translation>
    </message>
    <message>
        <source>windows that slide over RAVDESS&apos;s clips in a row, smoothed</source>
        <translation>在连续的 RAVDESS 片段上滑动的窗口，经平滑</translation>
    </message>
    <message>
        <source>Speaking disturbs the face: a mouth that forms a vowel looks like an expression.</source>
        <translation>说话会干扰面部：发元音的口型看起来像表情。</translation>
    </message>
    <message>
        <source>A resting face reads as sad or angry for some people.</source>
        <translation>有些人静息时的面部会被判为悲伤或愤怒。</translation>
    </message>
    <message>
        <source>A smile is all but certain and outweighs the voice, whatever it says.</source>
        <translation>微笑几乎是确定的，无论语音如何都会压过它。</translation>
    </message>
    <message>
        <source>The voice of another language or microphone is right in about half of the cases: happiness is taken for anger and sadness for neutral.</source>
        <translation>其他语言或麦克风的语音约有一半判断正确：快乐会被当作愤怒，悲伤会被当作中性。</translation>
    </message>
    <message>
        <source>FER2013&apos;s labels are noisy and its faces not balanced over age, sex and skin; for whom the model is worse was not measured.</source>
        <translation>FER2013 的标签有噪声，其面部在年龄、性别和肤色上不平衡；模型对哪些人更差没有测量。</translation>
    </message>
    <message>
        <source>Acted emotions are stronger than those of everyday life. Beards, glasses, hands, masks and side views were not tested.</source>
        <translation>表演的情绪比日常生活中的更强烈。胡须、眼镜、手、口罩和侧面未经测试。</translation>
    </message>
    <message>
        <source>MIT (face), CC0 (voice); see NOTICE</source>
        <translation>MIT（面部），CC0（语音）；参见 NOTICE</translation>
    </message>
    <message>
        <source>{n} live windows of {all} clips</source>
        <translation>{all} 个片段的 {n} 个实时窗口</translation>
    </message>
    <message>
        <source>no clip in {names} can be learned from: nothing of it was fit to be recognized; look at microphone, camera and light, and record again</source>
        <translation>{names} 中没有可用于学习的片段：内容均不适合识别；请检查麦克风、摄像头和光照，然后重新录制</translation>
    </message>
    <message>
        <source>{name} is none of the electrodes {names}</source>
        <translation>{name} 不在电极 {names} 之中</translation>
    </message>
    <message>
        <source>a mark&apos;s name is empty</source>
        <translation>标记的名称为空</translation>
    </message>
    <message>
        <source>{path}: session is no table; write [session]</source>
        <translation>{path}：session 不是表；请写作 [session]</translation>
    </message>
    <message>
        <source>{path} cannot be read ({error}); give a file such as configs/live.toml</source>
        <translation>无法读取 {path}（{error}）；请提供类似 configs/live.toml 的文件</translation>
    </message>
    <message>
        <source>{path} is not valid TOML: {error}</source>
        <translation>{path} 不是有效的 TOML：{error}</translation>
    </message>
    <message>
        <source>two labels are mapped to {electrode}</source>
        <translation>有两个标签都对应到 {electrode}</translation>
    </message>
    <message>
        <source>the cue of key {key} under [participant.cues] is of no mark; give {other_key} a name under [marks]</source>
        <translation>[participant.cues] 中按键 {key} 的提示没有对应的标记；请在 [marks] 中为 {other_key} 命名</translation>
    </message>
    <message>
        <source>eeg = {value} is no stream of mne-lsl; for a name give eeg_stream</source>
        <translation>eeg = {value} 不是 mne-lsl 的数据流；若为名称，请用 eeg_stream</translation>
    </message>
    <message>
        <source>every stream is &apos;none&apos;; name at least one</source>
        <translation>所有数据流均为 none；请至少指定一个</translation>
    </message>
    <message>
        <source>--backend {backend}: {name} is no transformer; leave it out</source>
        <translation>--backend {backend}：{name} 不是 transformer；请去掉此选项</translation>
    </message>
    <message>
        <source>{option} = {value} cannot be used; {advice}</source>
        <translation>{option} = {value} 不可用；{advice}</translation>
    </message>
    <message>
        <source>give text</source>
        <translation>请给出文本</translation>
    </message>
    <message>
        <source>give {amount} from {low} to {high}</source>
        <translation>请给出 {low} 到 {high} 之间的{amount}</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>数</translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation>整数</translation>
    </message>
    <message>
        <source>give one of {names}</source>
        <translation>请给出 {names} 之一</translation>
    </message>
    <message>
        <source>{option} {text} is unknown; give {choices}, lsl:NAME, file:PATH or none</source>
        <translation>{option} {text} 未知；请给出 {choices}、lsl:NAME、file:PATH 或 none</translation>
    </message>
    <message>
        <source>{option} {text} is unknown; give {choices}, lsl:NAME, file:PATH or none, or {others}</source>
        <translation>{option} {text} 未知；请给出 {choices}、lsl:NAME、file:PATH、none 或 {others}</translation>
    </message>
    <message>
        <source>{what}: there is no such file or folder</source>
        <translation>{what}：没有这样的文件或文件夹</translation>
    </message>
    <message>
        <source>{option} = {value} is none of {names}</source>
        <translation>{option} = {value} 不在 {names} 之中</translation>
    </message>
    <message>
        <source>{option} = {value} is neither true nor false</source>
        <translation>{option} = {value} 既不是 true 也不是 false</translation>
    </message>
    <message>
        <source>{path}: unknown key {key}; {advice}</source>
        <translation>{path}：未知的键 {key}；{advice}</translation>
    </message>
    <message>
        <source>unknown key {key}; {advice}</source>
        <translation>未知的键 {key}；{advice}</translation>
    </message>
    <message>
        <source>key {key} is missing</source>
        <translation>缺少键 {key}</translation>
    </message>
    <message>
        <source>{number} more faults</source>
        <translation>另有 {number} 处错误</translation>
    </message>
    <message>
        <source>did you mean {name}?</source>
        <translation>是不是 {name}？</translation>
    </message>
    <message>
        <source>remove it or correct its spelling</source>
        <translation>请删除它或更正拼写</translation>
    </message>
    <message>
        <source>{what}: give a name without quotation marks, such as EAV</source>
        <translation>{what}：请给出不带引号的名称，如 EAV</translation>
    </message>
    <message>
        <source>{what}: there is already a stream {name} of type {kind} on {host}; choose another name, or stop the other program</source>
        <translation>{what}：{host} 上已有类型为 {kind} 的数据流 {name}；请换一个名称，或停止另一个程序</translation>
    </message>
    <message>
        <source>{path} cannot be read ({error}); put it aside to begin anew: recordings and model stay where they are</source>
        <translation>无法读取 {path}（{error}）；移开它即可重新开始：录制内容和模型保持不变</translation>
    </message>
    <message>
        <source>{what} is no code for a person: up to 32 letters, digits, - and _ are.</source>
        <translation>{what} 不是有效的参与者代码：最多 32 个字母、数字、- 和 _。</translation>
    </message>
    <message>
        <source>Keep names out of recordings; P01 will do.</source>
        <translation>录制内容中请勿使用姓名；用 P01 即可。</translation>
    </message>
    <message>
        <source>--preset {name} is unknown; {there} in {folder}.</source>
        <translation>--preset {name} 未知；{folder} 中{there}。</translation>
    </message>
    <message>
        <source>--save-preset {name} with a session&apos;s options makes it</source>
        <translation>用 --save-preset {name} 加上会话选项可以创建它</translation>
    </message>
    <message>
        <source>there are none so far</source>
        <translation>目前还没有</translation>
    </message>
    <message>
        <source>there are {names}</source>
        <translation>有 {names}</translation>
    </message>
    <message>
        <source>{what}: there is no such file</source>
        <translation>{what}：没有这样的文件</translation>
    </message>
    <message>
        <source>{path} was trained on features as EAV&apos;s authors released them (EEG filtered to 0.5-45 Hz over whole sessions, faces cropped by another tracker), and live windows are made otherwise; train on a cache that `eav-offline prepare` makes of recordings</source>
        <translation>{path} 使用 EAV 作者发布的特征训练（EEG 对整个会话滤波至 0.5-45 Hz，人脸由另一跟踪器裁剪），而实时窗口的处理方式不同；请用 `eav-offline prepare` 由录制内容生成的缓存训练</translation>
    </message>
    <message>
        <source>{name} is adapted to a person, whose modalities are averaged; take mean, or the model that it was made of</source>
        <translation>{name} 已适应某人，其各模态取平均；请用 mean，或使用它所基于的模型</translation>
    </message>
    <message>
        <source>{name} has no AMBT to fuse by; take mean, or train all stages</source>
        <translation>{name} 没有可用于融合的 AMBT；请用 mean，或训练所有阶段</translation>
    </message>
    <message>
        <source>{path}: unknown key {key}; {guess} Give --consent {file} with the lines person = {person}, by = {by} and agreed = true; or --person {code} --consent-by {initials}; or start in a terminal and answer there.</source>
        <translation>{path}：未知的键 {key}；{guess} 请给出 --consent {file}，其中包含 person = {person}、by = {by} 和 agreed = true；或给出 --person {code} --consent-by {initials}；或在终端中启动并在那里回答。</translation>
    </message>
    <message>
        <source>Give --consent {file} with the lines person = {person}, by = {by} and agreed = true; or --person {code} --consent-by {initials}; or start in a terminal and answer there.</source>
        <translation>请给出 --consent {file}，其中包含 person = {person}、by = {by} 和 agreed = true；或给出 --person {code} --consent-by {initials}；或在终端中启动并在那里回答。</translation>
    </message>
    <message>
        <source>{path} does not say agreed = true. {how}</source>
        <translation>{path} 中没有 agreed = true。{how}</translation>
    </message>
    <message>
        <source>{path} lacks person or by, both texts. {how}</source>
        <translation>{path} 缺少 person 或 by，两者均为文本。{how}</translation>
    </message>
    <message>
        <source>the person did not agree; nothing is recorded</source>
        <translation>参与者没有同意；不录制任何内容</translation>
    </message>
    <message>
        <source>give --consent or --person with --consent-by</source>
        <translation>请给出 --consent，或 --person 与 --consent-by</translation>
    </message>
    <message>
        <source>{path} cannot be read ({error}). {how}</source>
        <translation>无法读取 {path}（{error}）。{how}</translation>
    </message>
    <message>
        <source>nothing is recorded without consent. {how}</source>
        <translation>未经同意不录制任何内容。{how}</translation>
    </message>
    <message>
        <source>--record {path}: give a name ending in .xdf</source>
        <translation>--record {path}：请给出以 .xdf 结尾的名称</translation>
    </message>
    <message>
        <source>--record {path}: {there} is there already, and recordings are never overwritten; choose another name</source>
        <translation>--record {path}：{there} 已存在，录制内容绝不会被覆盖；请换一个名称</translation>
    </message>
    <message>
        <source>--record {path} cannot be written ({error}); choose a folder that may be written to, with room for about 200 MB an hour of EEG and sound and up to 10 GB an hour of video</source>
        <translation>无法写入 --record {path}（{error}）；请选择可写的文件夹，EEG 和声音每小时约需 200 MB，视频每小时最多需 10 GB</translation>
    </message>
    <message>
        <source>nothing is being recorded, so the mark is kept nowhere; start first</source>
        <translation>当前没有录制，因此标记不会保存；请先开始录制</translation>
    </message>
    <message>
        <source>the session ends; nothing is recorded any more</source>
        <translation>会话正在结束；不再录制</translation>
    </message>
    <message>
        <source>{name} is running; stop it</source>
        <translation>{name} 正在录制；请先停止</translation>
    </message>
    <message>
        <source>{name} is running already</source>
        <translation>{name} 已在录制</translation>
    </message>
    <message>
        <source>nothing is being recorded; start it first</source>
        <translation>当前没有录制；请先开始</translation>
    </message>
    <message>
        <source>{path} holds no recording; give FILE.xdf, or the folder it lies in</source>
        <translation>{path} 中没有录制内容；请给出 FILE.xdf 或其所在文件夹</translation>
    </message>
    <message>
        <source>{name} is computed in one way only; leave the backend as it is</source>
        <translation>{name} 只有一种计算方式；请保持后端不变</translation>
    </message>
    <message>
        <source>{path} cannot be read as annotations ({error}): expected an object with {key}, a list of objects with {time_key} in seconds and {text_key}; mend the file or move it away</source>
        <translation>无法将 {path} 作为注释读取（{error}）：应为含有 {key} 的对象，即由以秒为单位的 {time_key} 和 {text_key} 组成的对象列表；请修复或移走该文件</translation>
    </message>
    <message>
        <source>{path} holds {number} recordings ({names}); name one FILE.xdf, or the folder of a subject in EAV layout</source>
        <translation>{path} 中有 {number} 个录制（{names}）；请指定一个 FILE.xdf，或 EAV 布局的受试者文件夹</translation>
    </message>
    <message>
        <source>{path} cannot be shown: {why}</source>
        <translation>无法显示 {path}：{why}</translation>
    </message>
    <message>
        <source>{path} holds no EEG, sound, frames, estimates or markers; give a recording of eav-live --record or of LabRecorder</source>
        <translation>{path} 中没有 EEG、声音、画面、估计或标记；请给出 eav-live --record 或 LabRecorder 的录制内容</translation>
    </message>
    <message>
        <source>{name} runs at {rate} Hz; sound at {least} Hz or more was expected (0 means that the sender states no rate).</source>
        <translation>{name} 的采样率为 {rate} Hz；声音需要 {least} Hz 或更高（0 表示发送方未声明采样率）。</translation>
    </message>
    <message>
        <source>{name} has an unknown sample format; float32, double64, int8, int16 or int32 was expected.</source>
        <translation>{name} 的样本格式未知；应为 float32、double64、int8、int16 或 int32。</translation>
    </message>
    <message>
        <source>{option} is missing; give a stream&apos;s name, or none</source>
        <translation>缺少 {option}；请给出数据流的名称或 none</translation>
    </message>
    <message>
        <source>{option} is empty; give a stream&apos;s name, or none</source>
        <translation>{option} 为空；请给出数据流的名称或 none</translation>
    </message>
    <message>
        <source>{option} is given beside eeg_stream or demo; give one</source>
        <translation>{option} 不能与 eeg_stream 或 demo 同时给出；请只给出一个</translation>
    </message>
    <message>
        <source>{who} the PortAudio library ({error}).</source>
        <translation>{who} PortAudio 库（{error}）。</translation>
    </message>
    <message>
        <source>the microphone needs</source>
        <translation>麦克风需要</translation>
    </message>
    <message>
        <source>sound needs</source>
        <translation>声音需要</translation>
    </message>
    <message>
        <source>clicks need</source>
        <translation>点击声需要</translation>
    </message>
    <message>
        <source>On Debian or Ubuntu: sudo apt-get install libportaudio2.</source>
        <translation>在 Debian 或 Ubuntu 上：sudo apt-get install libportaudio2。</translation>
    </message>
    <message>
        <source>Or use --audio none.</source>
        <translation>或使用 --audio none。</translation>
    </message>
    <message>
        <source>PortAudio lists no devices: {error}</source>
        <translation>PortAudio 没有列出任何设备：{error}</translation>
    </message>
    <message>
        <source>{name} runs at {rate} Hz; up to {most} Hz are read, and nothing above 50 Hz is used. Lower the rate at the amplifier.</source>
        <translation>{name} 的采样率为 {rate} Hz；最多读取 {most} Hz，且不使用 50 Hz 以上的成分。请在放大器上降低采样率。</translation>
    </message>
    <message>
        <source>{name} sends text; numbers were expected.</source>
        <translation>{name} 发送的是文本；应为数字。</translation>
    </message>
    <message>
        <source>{name} has {n} channels and [eeg] labels in {file} names {all}; they must agree.</source>
        <translation>{name} 有 {n} 个通道，而 {file} 中 [eeg] 的 labels 列出了 {all} 个；两者必须一致。</translation>
    </message>
    <message>
        <source>{name} cannot be played ({error}); connect loudspeakers or headphones, and see that PortAudio is installed</source>
        <translation>无法播放 {name}（{error}）；请连接扬声器或耳机，并确认已安装 PortAudio</translation>
    </message>
    <message>
        <source>no loudspeaker opens ({error}). Connect one, or leave sound out with --audio none.</source>
        <translation>无法打开扬声器（{error}）。请连接扬声器，或用 --audio none 关闭声音。</translation>
    </message>
    <message>
        <source>no loudspeaker is there ({error}); connect one to hear the recording</source>
        <translation>没有扬声器（{error}）；请连接扬声器以听取录音</translation>
    </message>
    <message>
        <source>not connected</source>
        <translation>未连接</translation>
    </message>
    <message>
        <source>{name} sends {n} channels and its header describes {all}; they must agree.</source>
        <translation>{name} 发送 {n} 个通道，而其头信息描述了 {all} 个；两者必须一致。</translation>
    </message>
    <message>
        <source>{n} LSL streams of type {kind} match {name}: {names}. Give {handles}, or stop the others.</source>
        <translation>有 {n} 个类型为 {kind} 的 LSL 数据流与 {name} 匹配：{names}。请给出 {handles}，或停止其他数据流。</translation>
    </message>
    <message>
        <source>{n} LSL streams of type {kind} match {name}: {names}. Nothing tells them apart: stop the others.</source>
        <translation>有 {n} 个类型为 {kind} 的 LSL 数据流与 {name} 匹配：{names}。它们无法区分：请停止其他数据流。</translation>
    </message>
    <message>
        <source>the sender no longer answers</source>
        <translation>发送方不再响应</translation>
    </message>
    <message>
        <source>the sender is gone</source>
        <translation>发送方已离开</translation>
    </message>
    <message>
        <source>{name} is not of format int8; raw RGB bytes are.</source>
        <translation>{name} 的格式不是 int8；应为原始 RGB 字节。</translation>
    </message>
    <message>
        <source>{name} sends {n} values a frame and states width {width} and height {height}; width x height x 3 was expected, both in the header&apos;s desc.</source>
        <translation>{name} 每帧发送 {n} 个值，声明宽 {width}、高 {height}；应为 宽 x 高 x 3，二者均在头信息的 desc 中。</translation>
    </message>
    <message>
        <source>{name} states format {colors}; RGB was expected.</source>
        <translation>{name} 声明的格式为 {colors}；应为 RGB。</translation>
    </message>
    <message>
        <source>{name} gave a frame that cannot be decoded</source>
        <translation>{name} 给出的一帧无法解码</translation>
    </message>
    <message>
        <source>stream {name} states no size of frames</source>
        <translation>数据流 {name} 没有声明画面大小</translation>
    </message>
    <message>
        <source>{path} holds no EEG, sound or frames; give a recording of eav-live --record</source>
        <translation>{path} 中没有 EEG、声音或画面；请给出 eav-live --record 的录制内容</translation>
    </message>
    <message>
        <source>{path} has checkpoint format {found}, this version reads {expected}; train it again or use the version of eav-live that wrote it</source>
        <translation>{path} 的检查点格式为 {found}，本版本读取 {expected}；请重新训练，或使用写出它的 eav-live 版本</translation>
    </message>
    <message>
        <source>{path}: its {key} metadata is no object</source>
        <translation>{path}：其 {key} 元数据不是对象</translation>
    </message>
    <message>
        <source>{path} was trained for {what}, this version has {expected}; train it again or use the version of eav-live that wrote it</source>
        <translation>{path} 是为 {what} 训练的，本版本为 {expected}；请重新训练，或使用写出它的 eav-live 版本</translation>
    </message>
    <message>
        <source>{path} describes itself in a way this version does not understand ({why}); train it again or use the version of eav-live that wrote it</source>
        <translation>本版本无法理解 {path} 的自我描述（{why}）；请重新训练，或使用写出它的 eav-live 版本</translation>
    </message>
    <message>
        <source>{path} does not fit its own configuration: it {faults}. Train it again</source>
        <translation>{path} 与其自身的配置不符：{faults}。请重新训练</translation>
    </message>
    <message>
        <source>lacks {names}</source>
        <translation>缺少 {names}</translation>
    </message>
    <message>
        <source>has the unknown {names}</source>
        <translation>含有未知的 {names}</translation>
    </message>
    <message>
        <source>has of another shape or type {names}</source>
        <translation>形状或类型不同的有 {names}</translation>
    </message>
    <message>
        <source>it {fault}</source>
        <translation>{fault}</translation>
    </message>
    <message>
        <source>{model} was trained on windows prepared with {settings}, {data} has {found}; prepare the data that way</source>
        <translation>{model} 训练所用窗口的预处理为 {settings}，{data} 为 {found}；请按此方式准备数据</translation>
    </message>
    <message>
        <source>its configuration has {low} weights or more, the file {number}</source>
        <translation>其配置至少有 {low} 个权重，文件中有 {number} 个</translation>
    </message>
    <message>
        <source>it fuses by AMBT and has none</source>
        <translation>它用 AMBT 融合，却没有 AMBT</translation>
    </message>
    <message>
        <source>{name} is of {found} features, the model has {expected}</source>
        <translation>{name} 有 {found} 个特征，模型有 {expected} 个</translation>
    </message>
    <message>
        <source>{path} is not a safetensors file or is damaged; expected the {name} that eav-offline train writes</source>
        <translation>{path} 不是 safetensors 文件或已损坏；应为 eav-offline train 写出的 {name}</translation>
    </message>
    <message>
        <source>{path} is not a safetensors file or is damaged ({error}); expected the model.safetensors that eav-offline train writes</source>
        <translation>{path} 不是 safetensors 文件或已损坏（{error}）；应为 eav-offline train 写出的 model.safetensors</translation>
    </message>
    <message>
        <source>{path} is a safetensors file, but not of eav-live: it lacks the {key} metadata; expected what eav-offline train writes</source>
        <translation>{path} 是 safetensors 文件，但不属于 eav-live：缺少 {key} 元数据；应为 eav-offline train 写出的文件</translation>
    </message>
    <message>
        <source>backend {backend} is not there on this computer; there are {names}</source>
        <translation>本计算机上没有后端 {backend}；现有 {names}</translation>
    </message>
    <message>
        <source>approximation {name} is unknown; there are {names}</source>
        <translation>未知的近似方式 {name}；现有 {names}</translation>
    </message>
    <message>
        <source>{name}: approximations are for PyTorch&apos;s backends</source>
        <translation>{name}：近似方式仅用于 PyTorch 后端</translation>
    </message>
    <message>
        <source>{name}: what runs along is not compiled</source>
        <translation>{name}：随之运行的部分不会被编译</translation>
    </message>
    <message>
        <source>its AMBT fuses {names} alone; only one of all three can be exported</source>
        <translation>其 AMBT 只融合 {names}；只有融合全部三种模态的才能导出</translation>
    </message>
    <message>
        <source>the {kind} export differs from PyTorch by {difference} of a probability, more than {limit}; {advice}</source>
        <translation>{kind} 导出与 PyTorch 的概率相差 {difference}，超过 {limit}；{advice}</translation>
    </message>
    <message>
        <source>the {name} part is the baseline {kind}; only transformers can be exported</source>
        <translation>{name} 部分是基线 {kind}；只有 transformer 才能导出</translation>
    </message>
    <message>
        <source>{path} does not exist; give the folder of a training run, or the {file} in it</source>
        <translation>{path} 不存在；请给出训练运行的文件夹，或其中的 {file}</translation>
    </message>
    <message>
        <source>{path} does not exist; give the folder of a training run, such as {example}, or the {file} in it</source>
        <translation>{path} 不存在；请给出训练运行的文件夹（如 {example}），或其中的 {file}</translation>
    </message>
    <message>
        <source>{path} is not a folder; give one that exists</source>
        <translation>{path} 不是文件夹；请给出已存在的文件夹</translation>
    </message>
    <message>
        <source>{path} cannot be written: {there} is a file; give a folder, which may be new</source>
        <translation>无法写入 {path}：{there} 是文件；请给出文件夹，可以是新的</translation>
    </message>
    <message>
        <source>{path} is a folder; give the file to be written</source>
        <translation>{path} 是文件夹；请给出要写入的文件</translation>
    </message>
    <message>
        <source>{path} cannot be written: {there} takes no new file or folder ({error}); give another folder</source>
        <translation>无法写入 {path}：{there} 中不能新建文件或文件夹（{error}）；请给出另一个文件夹</translation>
    </message>
    <message>
        <source>no package that is installed offers {name} under {group}; install the one that does</source>
        <translation>已安装的软件包都没有在 {group} 下提供 {name}；请安装提供它的软件包</translation>
    </message>
    <message>
        <source>{names} both offer {name} under {group}; uninstall one of them</source>
        <translation>{names} 都在 {group} 下提供 {name}；请卸载其中之一</translation>
    </message>
    <message>
        <source>{package} offers {name} ({place}), which cannot be loaded: {kind}: {error}</source>
        <translation>{package} 提供的 {name}（{place}）无法加载：{kind}：{error}</translation>
    </message>
    <message>
        <source>{package} offers {name} ({place}), which is no {expected}; see docs/how-to/extend.md</source>
        <translation>{package} 提供的 {name}（{place}）不是 {expected}；参见 docs/how-to/extend.md</translation>
    </message>
    <message>
        <source>{path} is damaged: a chunk of {n} bytes claims {number} samples; copy the file again from where it was recorded</source>
        <translation>{path} 已损坏：{n} 字节的数据块声称有 {number} 个样本；请从录制处重新复制文件</translation>
    </message>
    <message>
        <source>{path} cannot be read as XDF ({kind}: {error}); it is damaged, so copy it again from where it was recorded</source>
        <translation>无法将 {path} 作为 XDF 读取（{kind}：{error}）；文件已损坏，请从录制处重新复制</translation>
    </message>
    <message>
        <source>no length of 1, 4 or 8 bytes</source>
        <translation>长度不是 1、4 或 8 字节</translation>
    </message>
    <message>
        <source>{path} cannot be read: {error}</source>
        <translation>无法读取 {path}：{error}</translation>
    </message>
    <message>
        <source>{name} changed its rate ({hertz} Hz), and here there is only one; arrays() gives the samples with their times</source>
        <translation>{name} 改变了采样率（{hertz} Hz），而此处只能有一个；arrays() 给出样本及其时间</translation>
    </message>
    <message>
        <source>{name} pauses for {number} hours, which is more than can be filled; arrays() gives the samples with their times</source>
        <translation>{name} 中断了 {number} 小时，无法填补；arrays() 给出样本及其时间</translation>
    </message>
    <message>
        <source>EEG stream {name} does not say which channel is which electrode ({labels}); recordings of eav-live --record do</source>
        <translation>EEG 数据流 {name} 没有说明各通道对应的电极（{labels}）；eav-live --record 的录制内容会说明</translation>
    </message>
    <message>
        <source>{path} holds no audio samples</source>
        <translation>{path} 中没有音频样本</translation>
    </message>
    <message>
        <source>{path} is not a readable media file: {error}</source>
        <translation>{path} 不是可读的媒体文件：{error}</translation>
    </message>
    <message>
        <source>{path} has no {kind} stream</source>
        <translation>{path} 没有 {kind} 流</translation>
    </message>
    <message>
        <source>nothing of this model can be adapted by these clips: they have {names}; expected a modality that one encoder with a linear head reads</source>
        <translation>这些片段无法用于适应此模型：它们含有 {names}；需要由带线性头的单个编码器读取的模态</translation>
    </message>
    <message>
        <source>nothing that it reads</source>
        <translation>没有模型所读取的内容</translation>
    </message>
    <message>
        <source>this model is adapted to {person}, not to {other_person}; give the model that it was made of</source>
        <translation>此模型已适应 {person}，而不是 {other_person}；请给出它所基于的模型</translation>
    </message>
    <message>
        <source>{n} labeled clips of {person} were found, expected {least} or more</source>
        <translation>找到 {person} 的 {n} 个带标签片段，需要 {least} 个或更多</translation>
    </message>
    <message>
        <source>all clips of {person} show {emotion}; expected two emotions or more: what is common to all of them cannot be told from the person</source>
        <translation>{person} 的所有片段都表现 {emotion}；需要两种或更多情绪：所有片段的共同之处无法与此人本身区分</translation>
    </message>
    <message>
        <source>this model cannot be adapted without labels: its checkpoint does not say what the windows of its training people look like; train it again with this version</source>
        <translation>此模型无法在没有标签的情况下适应：其检查点没有说明训练人群的窗口特征；请用本版本重新训练</translation>
    </message>
    <message>
        <source>{option}: there is no folder {folder}; correct the path, or make it: mkdir -p {path}</source>
        <translation>{option}：没有文件夹 {folder}；请更正路径，或创建它：mkdir -p {path}</translation>
    </message>
    <message>
        <source>{what} cannot be written: {error}</source>
        <translation>无法写入 {what}：{error}</translation>
    </message>
    <message>
        <source>the face detector needs facenet-pytorch&apos;s weights, which are not installed; run ./dev setup, or install facenet-pytorch</source>
        <translation>人脸检测器需要 facenet-pytorch 的权重，但尚未安装；请运行 ./dev setup，或安装 facenet-pytorch</translation>
    </message>
    <message>
        <source>the face detector&apos;s weights {path} cannot be used ({error}); install facenet-pytorch again</source>
        <translation>人脸检测器的权重 {path} 不可用（{error}）；请重新安装 facenet-pytorch</translation>
    </message>
    <message>
        <source>{path} could not be written: {why}. Make room or choose another folder, and give the command again</source>
        <translation>无法写入 {path}：{why}。请腾出空间或选择另一个文件夹，然后重新运行命令</translation>
    </message>
    <message>
        <source>{path} cannot be used: {why}. Choose another place, or mend this one</source>
        <translation>{path} 不可用：{why}。请选择另一个位置，或修复此位置</translation>
    </message>
    <message>
        <source>the disk is full</source>
        <translation>磁盘已满</translation>
    </message>
    <message>
        <source>your share of the disk is full</source>
        <translation>您的磁盘配额已满</translation>
    </message>
    <message>
        <source>the file would be larger than is allowed here</source>
        <translation>文件将超过此处允许的大小</translation>
    </message>
    <message>
        <source>permission is denied</source>
        <translation>没有权限</translation>
    </message>
    <message>
        <source>it lies on a disk that can only be read</source>
        <translation>它位于只读磁盘上</translation>
    </message>
    <message>
        <source>a file stands where a folder is needed</source>
        <translation>需要文件夹的位置是一个文件</translation>
    </message>
    <message>
        <source>a folder stands where a file is needed</source>
        <translation>需要文件的位置是一个文件夹</translation>
    </message>
    <message>
        <source>the name is too long</source>
        <translation>名称过长</translation>
    </message>
    <message>
        <source>this needs {library}, which is not installed; {command} brings it</source>
        <translation>这需要 {library}，但尚未安装；{command} 可以安装</translation>
    </message>
    <message>
        <source>which EEG stream? Give --eeg-stream NAME (its name or the beginning of it), {otherwise}</source>
        <translation>使用哪个 EEG 数据流？请给出 --eeg-stream NAME（名称或其开头），{otherwise}</translation>
    </message>
    <message>
        <source>--eeg-stream none, or try --demo</source>
        <translation>--eeg-stream none，或试试 --demo</translation>
    </message>
    <message>
        <source>--participant-screen {screen}: there is {count}; connect another, or give --participant-screen window</source>
        <translation>--participant-screen {screen}：有 {count}；请再连接一个，或给出 --participant-screen window</translation>
    </message>
    <message>
        <source>{n} screen</source>
        <translation>{n} 个屏幕</translation>
    </message>
    <message>
        <source>{n} screens</source>
        <translation>{n} 个屏幕</translation>
    </message>
</context>
</TS>
